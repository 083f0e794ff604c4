"""A PostgreSQL that hangs (SIGSTOP) is for readers as good as one that is away."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.aggregate.read.queries import QUERIES_MAX
from services.ops.stack.servers import Postgres
from tests.builders import READ_KEY, authorization
from tests.integration.aggregate.read.read_service import Read, city, eventually

ANSWER_WITHIN_S = 6
NOTICED_WITHIN_S = 5


def children(pid: int) -> set[int]:
    """The processes that a process started."""
    started = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                started.add(int(entry.name))
    return started


@contextmanager
def hanging(server: Postgres) -> Iterator[None]:
    """All processes of the server stand still."""
    main = server.child.pid
    assert main is not None
    os.kill(main, signal.SIGSTOP)  # first: then it starts no further ones
    stopped = [main, *children(main)]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


async def asked_together(read: Read, paths: list[str]) -> list[tuple[int, float]]:
    """Status and seconds of requests that are under way at once, in one process."""
    transport = httpx.ASGITransport(read.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://read", headers=authorization(READ_KEY)
    ) as client:

        async def asked(path: str) -> tuple[int, float]:
            started = time.monotonic()
            answer = await client.get(path, timeout=30)
            return answer.status_code, time.monotonic() - started

        return await asyncio.gather(*(asked(path) for path in paths))


def test_a_hanging_postgresql_is_as_good_as_one_that_is_away(own_postgres: Postgres) -> None:
    with city(own_postgres.url) as town:
        town.count("dinkes", "farmasi", "443444433")
        town.refresh()
        with town.served() as read:
            summed, remembered = "/v1/opd/dinkes/trend", "/v1/opd/dinkes/ikm?window=all"
            assert {read.get(path).status_code for path in (summed, remembered)} == {200}
            with hanging(own_postgres):
                stopped = time.monotonic()
                # Three times as many as there are threads for queries, and then one from memory.
                waiting = [summed] * (3 * QUERIES_MAX)
                *sums, (status, seconds) = asyncio.run(asked_together(read, [*waiting, remembered]))
                assert {status for status, _ in sums} == {503}
                assert max(seconds for _, seconds in sums) < ANSWER_WITHIN_S
                assert (status, seconds < 1) == (200, True)
                eventually(
                    lambda: not read.get("/readyz").json()["database"],
                    max(0.1, stopped + NOTICED_WITHIN_S - time.monotonic()),
                )
                assert read.get("/readyz").status_code == 200
                assert "ikm_database_up 0.0" in read.get("/metrics").text.splitlines()
            eventually(lambda: read.get(summed).status_code == 200, 15)
            eventually(lambda: bool(read.get("/readyz").json()["database"]), 15)

"""Thirty people answer, and somebody without a key asks everything after each of them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from services.aggregate.worker import drain as draining
from shared.domain.release import STEP
from shared.storage import tables
from shared.storage.engine import transaction
from shared.storage.registry import access_keys
from tests.builders import READ_KEY, authorization
from tests.integration.access import stored_key
from tests.integration.aggregate.counting.counting import Sent, answers, sent
from tests.integration.aggregate.read.public_city import NOT_PUBLIC, PublicCity, public_city
from tests.integration.aggregate.read.read_service import eventually

NOW = datetime(2026, 5, 12, 3, tzinfo=UTC)
PEOPLE = 30
OPD = "/v1/opd/disdukcapil"
WINDOWS = ("2026-05", "2026-Q2", "2026-S1", "2026", "3m", "12m", "all")


class Told(NamedTuple):
    """An answer as a poller keeps it."""

    body: bytes
    tag: str | None


@pytest.fixture
def city(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PublicCity]:
    monkeypatch.setattr(draining, "LINGER_MS", 5)
    with public_city(database_url, redis_url, NOW) as city:
        with transaction(city.context.engine) as connection:
            key = stored_key("k1", "dasbor", NOW, submits=False, reads=True)
            access_keys.store(connection, READ_KEY, key)
        yield city


@contextmanager
def over_http(city: PublicCity) -> Iterator[str]:
    """The address of the read API, served as in production."""
    config = uvicorn.Config(city.api, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def person(number: int) -> Sent:
    """Somebody whose nine answers are like no other's."""
    digits = "".join(str((number // 4**place) % 4 + 1) for place in range(9))
    return sent(
        f"person-{number}", answers=answers(digits), received_us=round(NOW.timestamp() * 1e6)
    )


def figures(queries: list[str]) -> list[str]:
    """The index of all, of an OPD and of a layanan."""
    owners = (("/v1/ikm", ""), (f"{OPD}/ikm", ""), (f"{OPD}/ikm", "&layanan=ktp-el"))
    return [f"{path}?{query}{more}" for query in queries for path, more in owners]


def public_paths() -> list[str]:
    """Everything that is answered to everybody."""
    by_layanan = [f"{OPD}/breakdown?by=layanan&window={window}" for window in ("2026-05", "all")]
    trend = [f"{OPD}/trend", f"{OPD}/trend?layanan=ktp-el"]
    return [*figures([f"window={window}" for window in WINDOWS]), *by_layanan, *trend, "/"]


def other_paths() -> list[str]:
    """Everything that was public once, and what is public only of what is closed."""
    queries = [f"window={window}" for window in NOT_PUBLIC] + ["from=2026-05-04&to=2026-05-04"]
    cells = [
        f"{owner}/breakdown?by={facet}&window={window}"
        for owner in (OPD, "/v1")
        for facet in ("sex", "channel")
        for window in ("today", "2026-05", "2026-Q2", "all")
    ]
    trends = [f"{OPD}/trend?step={step}" for step in ("day", "week")]
    return [*figures(queries), *cells, *trends, "/metrics"]


def numbers_of(body: Any, place: str = "") -> Mapping[str, int]:
    """Every number of respondents and of answers in a body, by its place in it."""
    numbers: dict[str, int] = {}
    members = body.items() if isinstance(body, dict) else enumerate(body)
    for name, member in members:
        if isinstance(member, dict | list):
            numbers |= numbers_of(member, f"{place}/{name}")
        elif name in {"respondents", "answered", "achieved"}:
            numbers[f"{place}/{name}"] = member or 0
    return numbers


def read_off(client: httpx.Client) -> dict[str, Told]:
    """The body and the tag of everything that is public."""
    told = {}
    for path in public_paths():
        response = client.get(path)
        assert response.status_code == 200, path
        told[path] = Told(response.content, response.headers.get("etag"))
    return told


def check_difference(before: Mapping[str, Told], after: Mapping[str, Told]) -> None:
    """No number moves by fewer than five; where none moves, nothing at all does."""
    is_moved = False
    for path in after:
        steps = [] if path == "/" else difference(before[path].body, after[path].body)
        assert all(step == 0 or step >= STEP for step in steps), (path, steps)
        is_moved = is_moved or any(steps)
        assert any(steps) or path == "/" or before[path] == after[path], path
    assert is_moved or before["/"] == after["/"]


@pytest.mark.timeout(180)
def test_a_poller_without_a_key_recovers_nobody(city: PublicCity) -> None:
    city.refresh()
    with over_http(city) as address, httpx.Client(base_url=address) as poller:
        before = read_off(poller)
        for number in range(PEOPLE):
            city.counted(person(number))
            live = poller.get(f"{OPD}/ikm?window=2026-05", headers=authorization(READ_KEY)).json()
            assert live["respondents"] == number + 1  # who has a key sees each newcomer
            after = read_off(poller)
            check_difference(before, after)
            before = after
        for path in other_paths():
            assert poller.get(path).status_code == 401, path
        with city.context.engine.connect() as connection:
            receipt = connection.scalars(sa.select(tables.receipt.c.receipt)).first()
        assert set(poller.get(f"/v1/receipts/{receipt}").json()) == {
            *("receipt", "status", "reason", "received_on")
        }
    shown = numbers_of(httpx.Response(200, content=before[f"{OPD}/ikm?window=all"].body).json())
    assert PEOPLE - 2 * STEP < shown["/respondents"] <= PEOPLE - STEP


def difference(before: bytes, after: bytes) -> list[int]:
    """By how much each number differs that is in both, or in the later one alone."""
    earlier, later = (
        numbers_of(httpx.Response(200, content=body).json()) for body in (before, after)
    )
    return [number - earlier.get(place, 0) for place, number in later.items()]

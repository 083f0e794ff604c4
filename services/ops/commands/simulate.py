"""The command `ikm simulate`: a city's respondents at a steady rate, through the API, as a channel would send them."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click

from shared.domain.errors import IkmError

CONNECTIONS = 32
TICK_S = 0.02


class NoKey(IkmError):
    """No channel key: give --key, or start the stack with an example."""


@click.command()
@click.option(
    "--rate",
    type=click.FloatRange(0.1),
    default=20.0,
    show_default=True,
    help="Submissions a second.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=30.0, show_default=True, help="How long."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed draws the same people."
)
@click.option(
    "--days",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Spread answers over past days.",
)
@click.option(
    "--duplicates",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="Share sent again.",
)
@click.option(
    "--bad",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share that is wrong.",
)
@click.option("--url", help="Address of the service.  [default: the running stack]")
@click.option("--key", help="Channel key.  [default: that of the running stack's example]")
def simulate(  # noqa: PLR0913, PLR0917 - one parameter an option
    rate: float,
    seconds: float,
    seed: int,
    days: int,
    duplicates: float,
    bad: float,
    url: str | None,
    key: str | None,
) -> int:
    """Send made-up respondents: correlated answers, gaps, repetitions, a share of bad ones. Not to a real survey."""
    from services.ops.simulate.respondents import Manners, Population
    from shared.clock import utc_now
    from shared.settings import Settings, running_stack
    from shared.storage.engine import opened
    from shared.storage.registry import stored_registry

    settings = Settings.load()
    with opened(settings.need_database()) as engine, engine.connect() as connection:
        registry = stored_registry.load(connection)
    manners = Manners(duplicates=duplicates, bad=bad, days=days)
    people = Population(registry, seed, manners, utc_now()).submissions()
    address = url or running_stack(settings.home).get("url") or f"http://127.0.0.1:{settings.port}"
    outcome = asyncio.run(
        _send(people, str(address), key or _example_key(settings.home), rate, seconds)
    )
    return _report(outcome)


class _Outcome:
    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.repeated = 0
        self.seconds = 0.0


async def _send(
    people: Iterator[dict[str, Any]], url: str, key: str, rate: float, seconds: float
) -> _Outcome:
    from services.ops.simulate.sender import Connection

    outcome = _Outcome()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=CONNECTIONS * 4)

    async def sender() -> None:
        connection = Connection(url, key)
        while (body := await queue.get()) is not None:
            began = time.perf_counter()
            answer = await connection.post(body)
            outcome.latencies.append(time.perf_counter() - began)
            outcome.statuses[answer.status] += 1
            outcome.repeated += answer.attempts - 1
        await connection.close()

    senders = [asyncio.create_task(sender()) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    total = int(rate * seconds)
    with click.progressbar(length=total, label="mengirim / sending", show_pos=True) as bar:
        sent = 0
        while sent < total:
            due = min(total, int((time.perf_counter() - began) * rate) + 1)
            for _ in range(due - sent):
                await queue.put(json.dumps(next(people), ensure_ascii=False).encode())
            bar.update(due - sent)
            sent = due
            await asyncio.sleep(TICK_S)
    for _ in senders:
        await queue.put(None)
    await asyncio.gather(*senders)
    outcome.seconds = time.perf_counter() - began
    return outcome


def _report(outcome: _Outcome) -> int:
    latencies = sorted(outcome.latencies)
    sent = len(latencies)
    click.echo(f"terkirim / sent      {sent:>9,}  ({sent / outcome.seconds:,.0f}/s)")
    for status, count in sorted(outcome.statuses.items()):
        click.echo(f"  {status or 'no answer'}{'':<16}{count:>9,}")
    click.echo(
        f"diulang / repeated   {outcome.repeated:>9,}  (503 or a lost answer: sent again under the same id)"
    )
    if latencies:
        p50, p99 = (latencies[min(sent - 1, int(sent * share))] * 1000 for share in (0.5, 0.99))
        click.echo(f"jawaban / answers     p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    failed = sum(
        count
        for status, count in outcome.statuses.items()
        if status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return 1 if failed else 0


def _example_key(home: Path) -> str:
    path = home / "example.key"
    if not path.is_file():
        raise NoKey(str(path))
    return path.read_text(encoding="utf-8").strip()

"""Reading: an OPD's index on one pinned process, beside the no-op; both views, two sizes."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from benchmarks.figures import Figure, Target
from benchmarks.load.connection import request
from benchmarks.load.sample import OPD
from benchmarks.measures.seeding import seed
from benchmarks.plan import Plan
from benchmarks.running.product import Server, application, prepare
from benchmarks.running.stores import Stores, stores
from benchmarks.trial import Contender, Trials, figure, interleaved
from benchmarks.yardsticks.bare import FACTORY

SMALL = 10_000
READER = "the read process"
WITHIN_10_PERCENT = 1 / 1.1


@dataclass(frozen=True, slots=True)
class _Reader:
    """A read process over a database of some size, and the headers that get its live figures."""

    server: Server
    live: Mapping[str, str]


def measure(plan: Plan) -> list[Figure]:
    """Measure answers per second."""
    large = plan.size(5_000_000, 200_000)
    with stores(plan.subfolder("read"), plan.cores.others) as running, ExitStack() as started:
        now = datetime.now(UTC)
        readers = {size: _served(plan, running, started, size, now) for size in (SMALL, large)}
        bare = started.enter_context(application("bare", FACTORY, running, plan.cores.measured))
        window = [f"/v1/opd/{opd}/ikm?window=30d" for opd in OPD]
        public_window = [f"/v1/opd/{opd}/ikm?window=12m" for opd in OPD]
        first, last = (now - timedelta(days=300)).date(), (now - timedelta(days=40)).date()
        span = [f"/v1/opd/{opd}/ikm?from={first}&to={last}" for opd in OPD]
        no_op = Contender(Trials("bare no-op", "/s"), bare, _gets(window, {}), 202)
        rolling = {size: _live(size, reader, window) for size, reader in readers.items()}
        summed = {size: _live(size, reader, span) for size, reader in readers.items()}
        conditional = _conditional(readers[large], window)
        unchanged = Contender(Trials("304", "/s"), readers[large].server, conditional, 304)
        released = Contender(
            Trials("released", "/s"), readers[large].server, _gets(public_window, {}), 200
        )
        contenders = [no_op, unchanged, released, *rolling.values(), *summed.values()]
        interleaved(contenders, running, plan)
    half, same = Target(at_least=0.5), Target(at_least=WITHIN_10_PERCENT)
    many = f"{large:,} responses"
    return [
        figure("read GET, beside bare ASGI", rolling[large], no_op, half, READER),
        figure("read GET released, beside live", released, rolling[large], same, READER),
        figure("read 304, beside bare ASGI", unchanged, no_op, half, READER),
        figure(f"read GET, {many}", rolling[large], rolling[SMALL], same, READER),
        figure(f"read 260 days (SQL), {many}", summed[large], summed[SMALL], None, READER),
    ]


def _served(plan: Plan, running: Stores, started: ExitStack, size: int, now: datetime) -> _Reader:
    """Start the read API over a database with `size` responses."""
    product = prepare(running, f"ikm_{size}")
    seed(product, size, now)
    server = started.enter_context(product.served("read", plan.cores.measured))
    return _Reader(server, product.read_headers)


def _live(size: int, reader: _Reader, paths: Sequence[str]) -> Contender:
    trials = Trials(f"{size:,} responses", "/s")
    return Contender(trials, reader.server, _gets(paths, reader.live), 200)


def _gets(paths: Sequence[str], headers: Mapping[str, str]) -> list[bytes]:
    return [request("GET", path, headers) for path in paths]


def _conditional(reader: _Reader, paths: Sequence[str]) -> list[bytes]:
    """Return the same requests from somebody who has the present answers."""
    with httpx.Client(
        base_url=reader.server.address.url, headers=reader.live, trust_env=False
    ) as client:
        answers = [client.get(path).raise_for_status() for path in paths]
    return [
        request("GET", path, {**reader.live, "if-none-match": answer.headers["etag"]})
        for path, answer in zip(paths, answers, strict=True)
    ]

"""Reading: the index of an OPD on one pinned process, beside the bare no-op, and at two sizes of the data."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from benchmarks.figures import Figure, Target
from benchmarks.load.asking import ask
from benchmarks.load.closed_loop import request
from benchmarks.load.sample import OPD
from benchmarks.measures.seeding import seed
from benchmarks.plan import Plan
from benchmarks.running import product
from benchmarks.running.product import Server, application
from benchmarks.running.stores import Stores, stores
from benchmarks.trial import Contender, Trials, figure, interleaved
from benchmarks.yardsticks.bare import FACTORY

SMALL = 10_000
READER = "the read process"
WITHIN_10_PERCENT = 1 / 1.1


def measure(plan: Plan) -> list[Figure]:
    """Answers per second."""
    large = plan.size(5_000_000, 200_000)
    with stores(plan.subfolder("read"), plan.cores.others) as running, ExitStack() as started:
        now = datetime.now(UTC)
        servers = {size: _served(plan, running, started, size, now) for size in (SMALL, large)}
        bare = started.enter_context(application("bare", FACTORY, running, plan.cores.measured))
        window = [f"/v1/opd/{opd}/ikm?window=30d" for opd in OPD]
        first, last = (now - timedelta(days=300)).date(), (now - timedelta(days=40)).date()
        span = [f"/v1/opd/{opd}/ikm?from={first}&to={last}" for opd in OPD]
        noop = Contender(Trials("bare no-op", "/s"), bare, _gets(window), 202)
        whole = {
            size: Contender(_trials(size), server, _gets(window), 200)
            for size, server in servers.items()
        }
        known = Contender(
            Trials("304", "/s"), servers[large], _conditional(servers[large], window), 304
        )
        summed = {
            size: Contender(_trials(size), server, _gets(span), 200)
            for size, server in servers.items()
        }
        interleaved([noop, known, *whole.values(), *summed.values()], running, plan)
    return [
        figure("read GET, beside bare ASGI", whole[large], noop, Target(at_least=0.5), READER),
        figure("read 304, beside bare ASGI", known, noop, Target(at_least=0.5), READER),
        figure(
            f"read GET, {large:,} responses",
            whole[large],
            whole[SMALL],
            Target(at_least=WITHIN_10_PERCENT),
            READER,
        ),
        figure(
            f"read 260 days (SQL), {large:,} responses", summed[large], summed[SMALL], None, READER
        ),
    ]


def _served(plan: Plan, running: Stores, started: ExitStack, size: int, now: datetime) -> Server:
    """The read API over a database with `size` responses."""
    found = product.prepare(running, f"ikm_{size}")
    seed(found, size, now)
    return started.enter_context(found.served("read", plan.cores.measured))


def _gets(paths: Sequence[str]) -> list[bytes]:
    return [request("GET", path) for path in paths]


def _conditional(server: Server, paths: Sequence[str]) -> list[bytes]:
    """The same requests from somebody who has the present answers."""
    found = []
    for path in paths:
        answer = ask(server.address, request("GET", path))
        assert answer.status == HTTPStatus.OK, answer.body
        found.append(request("GET", path, {"if-none-match": answer.header("etag")}))
    return found


def _trials(size: int) -> Trials:
    return Trials(f"{size:,} responses", "/s")

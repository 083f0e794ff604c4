"""Accepting: durable single POSTs on one pinned ingest process, beside the bare no-op and the textbook design."""

from benchmarks.figures import Figure, Target
from benchmarks.load.closed_loop import request
from benchmarks.load.sample import bodies
from benchmarks.measures.stored import Stored
from benchmarks.plan import Plan
from benchmarks.running import product
from benchmarks.running.product import application
from benchmarks.running.stores import stores
from benchmarks.trial import Contender, Trials, figure, interleaved
from benchmarks.yardsticks.bare import FACTORY
from benchmarks.yardsticks.textbook import run as textbook

BODIES = 30_000
# shown, not judged: more company for each disk write, for the no-op more sockets to look at
MANY = 256


def measure(plan: Plan) -> list[Figure]:
    """Acknowledged submissions per second."""
    folder, core = plan.subfolder("accept"), plan.cores.measured
    with stores(folder, plan.cores.others) as running:
        ours, rival = product.prepare(running), textbook.prepare(running)
        posts = [
            request("POST", "/v1/submissions", ours.post_headers, body)
            for body in bodies("accept", BODIES)
        ]
        with (
            ours.served("ingest", core) as ingest,
            application("bare", FACTORY, running, core) as bare,
            rival.served(core) as slow,
        ):
            durable = Contender(
                Trials("durable 202", "/s"), ingest, posts, 202, after=Stored(ours).check
            )
            noop = Contender(Trials("bare no-op", "/s"), bare, posts, 202)
            textbook_way = Contender(
                Trials("textbook", "/s"), slow, posts, 202, after=lambda _: rival.forget_tasks()
            )
            many = Contender(
                Trials("durable 202", "/s"),
                ingest,
                posts,
                202,
                connections=MANY,
                after=durable.after,
            )
            many_noop = Contender(Trials("bare no-op", "/s"), bare, posts, 202, connections=MANY)
            interleaved([durable, noop, textbook_way, many, many_noop], running, plan)
    return [
        figure(
            "accept, beside bare ASGI", durable, noop, Target(at_least=0.55), "the ingest process"
        ),
        figure(f"accept, {MANY} connections", many, many_noop, None, "the ingest process"),
        figure(
            "accept, beside textbook",
            durable,
            textbook_way,
            Target(at_least=20),
            "the ingest process",
        ),
    ]

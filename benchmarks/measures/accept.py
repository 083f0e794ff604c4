"""Accepting: durable single POSTs on one pinned ingest process, beside two others."""

from benchmarks.figures import Figure, Target
from benchmarks.load.connection import request
from benchmarks.load.sample import bodies
from benchmarks.measures.stored import Stored
from benchmarks.plan import Plan
from benchmarks.running.product import application
from benchmarks.running.product import prepare as prepare_product
from benchmarks.running.stores import stores
from benchmarks.trial import Contender, Trials, figure, interleaved
from benchmarks.yardsticks.bare import FACTORY
from benchmarks.yardsticks.textbook.run import prepare as prepare_textbook

BODIES = 30_000
# shown, not judged: more company for each disk write, for the no-op more sockets to look at
MANY = 256
WHO = "the ingest process"


def measure(plan: Plan) -> list[Figure]:
    """Measure acknowledged submissions per second."""
    folder, core = plan.subfolder("accept"), plan.cores.measured
    with stores(folder, plan.cores.others) as running:
        product, textbook = prepare_product(running), prepare_textbook(running)
        posts = [
            request("POST", "/v1/submissions", product.post_headers, body)
            for body in bodies("accept", BODIES)
        ]
        with (
            product.served("ingest", core) as ingest,
            application("bare", FACTORY, running, core) as bare,
            textbook.served(core) as slow,
        ):
            checked = Stored(product).check
            accept = Contender(Trials("durable 202", "/s"), ingest, posts, 202, after=checked)
            no_op = Contender(Trials("bare no-op", "/s"), bare, posts, 202)
            usual = Contender(
                Trials("textbook", "/s"), slow, posts, 202, after=lambda _: textbook.forget_tasks()
            )
            accept_many = Contender(
                Trials("durable 202", "/s"), ingest, posts, 202, connections=MANY, after=checked
            )
            no_op_many = Contender(Trials("bare no-op", "/s"), bare, posts, 202, connections=MANY)
            interleaved([accept, no_op, usual, accept_many, no_op_many], running, plan)
    target = Target(at_least=0.55, by_cpu_too=True)
    return [
        figure("accept, beside bare ASGI", accept, no_op, target, WHO),
        figure(f"accept, {MANY} connections", accept_many, no_op_many, None, WHO),
        figure("accept, beside textbook", accept, usual, Target(at_least=20), WHO),
    ]

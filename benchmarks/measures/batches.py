"""Batches: NDJSON of 1,000 submissions on one pinned ingest process, beside the no-op."""

from benchmarks.figures import Figure, Target
from benchmarks.load.connection import request
from benchmarks.load.sample import bodies
from benchmarks.measures.stored import Stored
from benchmarks.plan import Plan
from benchmarks.running.product import application, prepare
from benchmarks.running.stores import stores
from benchmarks.trial import Contender, Trials, figure, interleaved
from benchmarks.yardsticks.bare import FACTORY

BATCH = 1000
BATCHES = 40
CONNECTIONS = 8


def measure(plan: Plan) -> list[Figure]:
    """Measure acknowledged submissions per second in batches."""
    folder, core = plan.subfolder("batches"), plan.cores.measured
    with stores(folder, plan.cores.others) as running:
        product = prepare(running)
        headers = {**product.post_headers, "content-type": "application/x-ndjson"}
        lines = bodies("batch", BATCH * BATCHES)
        posts = [
            request("POST", "/v1/submissions", headers, b"\n".join(lines[start : start + BATCH]))
            for start in range(0, len(lines), BATCH)
        ]
        singles = [request("POST", "/v1/submissions", product.post_headers, line) for line in lines]
        with (
            product.served("ingest", core) as ingest,
            application("bare", FACTORY, running, core) as bare,
        ):
            checked = Stored(product, BATCH).check
            batches = Contender(
                Trials("durable, 1,000 a request", "/s"),
                ingest,
                posts,
                202,
                BATCH,
                connections=CONNECTIONS,
                after=checked,
            )
            no_op = Contender(Trials("bare no-op requests", "/s"), bare, singles, 202)
            interleaved([batches, no_op], running, plan)
    return [figure("batches of 1,000", batches, no_op, Target(at_least=4), "the ingest process")]

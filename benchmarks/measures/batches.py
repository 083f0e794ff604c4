"""Batches: NDJSON of 1,000 submissions on one pinned ingest process, beside the bare request rate."""

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

BATCH = 1000
BATCHES = 40
CONNECTIONS = 8


def measure(plan: Plan) -> list[Figure]:
    """Acknowledged submissions per second in batches."""
    folder, core = plan.subfolder("batches"), plan.cores.measured
    with stores(folder, plan.cores.others) as running:
        ours = product.prepare(running)
        headers = {**ours.post_headers, "content-type": "application/x-ndjson"}
        lines = bodies("batch", BATCH * BATCHES)
        posts = [
            request("POST", "/v1/submissions", headers, b"\n".join(lines[start : start + BATCH]))
            for start in range(0, len(lines), BATCH)
        ]
        singles = [request("POST", "/v1/submissions", ours.post_headers, line) for line in lines]
        with (
            ours.served("ingest", core) as ingest,
            application("bare", FACTORY, running, core) as bare,
        ):
            checked = Stored(ours, BATCH).check
            batches = Contender(
                Trials("durable, 1,000 a request", "/s"),
                ingest,
                posts,
                202,
                BATCH,
                connections=CONNECTIONS,
                after=checked,
            )
            noop = Contender(Trials("bare no-op requests", "/s"), bare, singles, 202)
            interleaved([batches, noop], running, plan)
    return [figure("batches of 1,000", batches, noop, Target(at_least=4), "the ingest process")]

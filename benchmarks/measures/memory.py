"""Memory of every process of the embedded stack over ten minutes of a steady load: flat or not."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence

from benchmarks.figures import Figure, Series, Target
from benchmarks.load.closed_loop import run
from benchmarks.load.outcome import Outcome
from benchmarks.load.paced import paced
from benchmarks.load.sample import submissions
from benchmarks.plan import Plan
from benchmarks.running.embedded import Embedded, embedded
from benchmarks.running.processes import memory_bytes, pinned

RATE = 1_000
SAMPLE_EVERY_S = 5.0
MIB = 2**20
SLACK = 4 * MIB  # a small process may grow by this much whatever its share is

Process = tuple[str, int]
Samples = dict[Process, list[tuple[float, int]]]


def measure(plan: Plan) -> list[Figure]:
    """Measure how each process grows from the third to the last tenth of the load."""
    seconds = plan.size(600, 60)
    with embedded(plan, "memory") as stack, pinned(plan.cores.measured | plan.cores.others):
        outcome, samples = run(_load_and_sample(stack, seconds))
    outcome.expect(202)
    growth = _growth(samples, seconds)
    name, worst = max(
        growth.items(),
        key=lambda item: (item[1]["ratio"], item[1]["late_mib"] - item[1]["early_mib"]),
    )
    return [
        Figure(
            f"memory of every process, {seconds} s",
            Series("the largest growth", "x", [worst["ratio"]]),
            None,
            Target(at_most=1.05),
            f"{name}: {worst['early_mib']:g} → {worst['late_mib']:g} MiB of its own",
            not_judged="" if seconds >= 600 else f"too short to judge ({name})",
            conditions={
                "accepted_per_second": round(outcome.rate, 1),
                "processes": growth,
                "compared": "medians of RssAnon in the third and in the last tenth of the time",
                "slack_mib": SLACK / MIB,
            },
        )
    ]


async def _load_and_sample(stack: Embedded, seconds: int) -> tuple[Outcome, Samples]:
    posts = (stack.post(document) for document in submissions("memory", (seconds + 10) * RATE))
    samples: Samples = {}
    sampling = asyncio.create_task(_sample(stack, samples))
    outcome = await paced(stack.address, posts, RATE, seconds)
    sampling.cancel()
    return outcome, samples


async def _sample(stack: Embedded, samples: Samples) -> None:
    started = time.perf_counter()
    while True:
        for name, pids in stack.processes().items():
            for pid in pids:
                own_bytes = memory_bytes(pid)
                if own_bytes is not None:
                    passed_s = time.perf_counter() - started
                    samples.setdefault((name, pid), []).append((passed_s, own_bytes))
        await asyncio.sleep(SAMPLE_EVERY_S)


def _growth(
    samples: Mapping[Process, Sequence[tuple[float, int]]], seconds: int
) -> dict[str, dict[str, float]]:
    """Return the growth of every process that lived through both spans."""
    growth = {}
    for (name, pid), series in samples.items():
        early = [size for passed_s, size in series if 0.2 <= passed_s / seconds < 0.3]
        late = [size for passed_s, size in series if passed_s / seconds >= 0.9]
        if early and late:
            first, last = statistics.median(early), statistics.median(late)
            growth[f"{name} ({pid})"] = {
                "early_mib": round(first / MIB, 1),
                "late_mib": round(last / MIB, 1),
                "ratio": 1.0 if last - first <= SLACK else round(last / first, 4),
            }
    return growth

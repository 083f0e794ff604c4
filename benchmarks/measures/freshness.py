"""Freshness on the embedded stack: from a 202 to the read API, idle and under a steady load."""

import asyncio
import itertools
import json
import os
import random
import time
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Series, Target
from benchmarks.load.closed_loop import run
from benchmarks.load.outcome import Outcome, percentile
from benchmarks.load.paced import paced
from benchmarks.load.sample import PROBES, submissions
from benchmarks.measures.probing import Probe
from benchmarks.plan import Plan
from benchmarks.running.embedded import Embedded, embedded
from benchmarks.running.processes import Usage, pinned
from services.ops.client import Client

RATE = 1_000
IDLE_POLL_S, STEADY_POLL_S = 0.002, 0.01  # between two looks
PROBES_A_SECOND = 10
COALESCED = "waits that coalesce work: drain hint, refresh at most every 0.2 s; polling"


@dataclass(slots=True)
class _Results:
    idle_s: list[list[float]] = field(default_factory=list)  # of each run, ascending
    steady_s: list[list[float]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    caught_up_s: list[float] = field(default_factory=list)
    cores: list[dict[str, float]] = field(default_factory=list)


def measure(plan: Plan) -> list[Figure]:
    """Measure seconds until visible."""
    results = _Results()
    with embedded(plan, "freshness") as stack, pinned(plan.cores.measured | plan.cores.others):
        run(_idle(stack, 3))
        for turn in range(plan.runs):
            results.idle_s.append(run(_idle(stack, plan.size(20, 5))))
            _steady(stack, turn, plan.size(60, 10), results)
    return _figures(results)


async def _idle(stack: Embedded, number: int) -> list[float]:
    """Time single probes, each on a system that has come to rest."""
    probe = Probe(stack, PROBES[0], IDLE_POLL_S)
    delays_s = []
    for _ in range(number):
        # not in step with anything that runs every second
        await asyncio.sleep(random.uniform(0.6, 1.6))
        delays_s.append(await probe.send())
    probe.close()
    return sorted(delays_s)


def _steady(stack: Embedded, turn: int, seconds: int, results: _Results) -> None:
    before = _respondents(stack)
    watched = Usage({**stack.processes(), "client": [os.getpid()]})
    outcome, probed = run(_load_and_probe(stack, turn, seconds))
    results.cores.append(watched.shares())
    results.outcomes.append(outcome.expect(202))
    results.steady_s.append(sorted(probed))
    since, expected = time.perf_counter(), before + outcome.answers + len(probed)
    while _respondents(stack) < expected:
        time.sleep(0.01)
        assert time.perf_counter() - since < 60, "not everything became visible"
    assert _respondents(stack) == expected
    results.caught_up_s.append(round(time.perf_counter() - since, 3))


async def _load_and_probe(stack: Embedded, turn: int, seconds: int) -> tuple[Outcome, list[float]]:
    posts = (
        stack.post(document) for document in submissions(f"steady{turn}", (seconds + 10) * RATE)
    )
    load = asyncio.create_task(paced(stack.address, posts, RATE, seconds))
    await asyncio.sleep(1)
    end = time.perf_counter() + seconds - 2
    probes = [asyncio.create_task(_probe(stack, number, end)) for number in range(1, len(PROBES))]
    probed = itertools.chain.from_iterable(await asyncio.gather(*probes))
    return await load, list(probed)


async def _probe(stack: Embedded, number: int, end: float) -> list[float]:
    """Probe one layanan every few seconds, out of step with the other probes."""
    probe, delays_s = Probe(stack, PROBES[number], STEADY_POLL_S), []
    pause_s = len(PROBES) / PROBES_A_SECOND
    await asyncio.sleep(pause_s * number / len(PROBES))
    while (started := time.perf_counter()) < end:
        delays_s.append(await probe.send())
        await asyncio.sleep(max(0.0, pause_s - (time.perf_counter() - started)))
    probe.close()
    return delays_s


def _respondents(stack: Embedded) -> int:
    """Return how many respondents the read API shows, of all OPDs."""
    with Client(stack.address.url) as client:
        document = json.loads(client.get("/v1/ikm?window=all", stack.key).body)
    return sum(int(opd["respondents"]) for opd in document["opd"])


def _figures(results: _Results) -> list[Figure]:
    loads = {
        "accepted_per_second": [round(outcome.rate, 1) for outcome in results.outcomes],
        "post_p99_ms": [round(outcome.latency_ms(0.99), 2) for outcome in results.outcomes],
        "probes": [len(run) for run in results.steady_s],
        "all_visible_after_s": results.caught_up_s,
        "cores_busy": results.cores,
    }

    def figure(name: str, runs: list[list[float]], share: float, target: float | None) -> Figure:
        delays = Series(
            "from 202 to visible", "ms", [percentile(run, share) * 1000 for run in runs]
        )
        judged = Target(at_most=target) if target is not None else None
        return Figure(
            name,
            delays,
            None,
            judged,
            COALESCED,
            conditions=loads if runs is results.steady_s else {},
        )

    return [
        figure("freshness idle, median", results.idle_s, 0.5, 150),
        figure("freshness idle, worst", results.idle_s, 1, 150),
        figure(f"freshness at {RATE:,}/s, p50", results.steady_s, 0.5, None),
        figure(f"freshness at {RATE:,}/s, p99", results.steady_s, 0.99, 1000),
    ]

"""Freshness on the embedded stack: from a 202 to the read API, idle and under a steady 1,000 submissions/s."""

import asyncio
import json
import os
import random
import time
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Series, Target
from benchmarks.load.asking import ask
from benchmarks.load.closed_loop import Outcome, percentile, request, run
from benchmarks.load.paced import paced
from benchmarks.load.sample import PROBES, submissions
from benchmarks.measures.probing import Probe
from benchmarks.plan import Plan
from benchmarks.running.embedded import Embedded, embedded
from benchmarks.running.processes import Usage, pinned

RATE = 1_000
IDLE_POLL, STEADY_POLL = 0.002, 0.01  # seconds between two looks
PROBES_A_SECOND = 10
COALESCED = "waits that coalesce work: drain hint, refresh at most every 0.2 s; polling"


@dataclass(slots=True)
class _Results:
    idle: list[list[float]] = field(default_factory=list)  # of each run, ascending seconds
    steady: list[list[float]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    caught_up: list[float] = field(default_factory=list)
    cores: list[dict[str, float]] = field(default_factory=list)


def measure(plan: Plan) -> list[Figure]:
    """Seconds until visible."""
    results = _Results()
    with embedded(plan, "freshness") as stack, pinned(plan.cores.measured | plan.cores.others):
        run(_idle(stack, 3))
        for turn in range(plan.runs):
            results.idle.append(run(_idle(stack, plan.size(20, 5))))
            _steady(stack, turn, plan.size(60, 10), results)
    return _figures(results)


async def _idle(stack: Embedded, number: int) -> list[float]:
    """Single probes, each on a system that has come to rest."""
    probe = Probe(stack, PROBES[0], IDLE_POLL)
    found = []
    for _ in range(number):
        await asyncio.sleep(
            random.uniform(0.6, 1.6)
        )  # not in step with anything that runs every second
        found.append(await probe.send())
    probe.close()
    return sorted(found)


def _steady(stack: Embedded, turn: int, seconds: int, results: _Results) -> None:
    before = _respondents(stack)
    watched = Usage({**stack.processes(), "client": [os.getpid()]})
    outcome, probed = run(_load_and_probe(stack, turn, seconds))
    results.cores.append(watched.shares())
    results.outcomes.append(outcome.expect(202))
    results.steady.append(sorted(probed))
    since, expected = time.perf_counter(), before + len(outcome.latencies) + len(probed)
    while _respondents(stack) < expected:
        time.sleep(0.01)
        assert time.perf_counter() - since < 60, "not everything became visible"
    assert _respondents(stack) == expected
    results.caught_up.append(round(time.perf_counter() - since, 3))


async def _load_and_probe(stack: Embedded, turn: int, seconds: int) -> tuple[Outcome, list[float]]:
    posts = (
        stack.post(document) for document in submissions(f"steady{turn}", (seconds + 10) * RATE)
    )
    load = asyncio.create_task(paced(stack.address, posts, RATE, seconds))
    await asyncio.sleep(1)
    end = time.perf_counter() + seconds - 2
    probes = [asyncio.create_task(_probe(stack, at, end)) for at in range(1, len(PROBES))]
    found = [one for probed in await asyncio.gather(*probes) for one in probed]
    return await load, found


async def _probe(stack: Embedded, at: int, end: float) -> list[float]:
    """The probes of one service: one every few seconds, out of step with those of the others."""
    probe, found = Probe(stack, PROBES[at], STEADY_POLL), []
    pause = len(PROBES) / PROBES_A_SECOND
    await asyncio.sleep(pause * at / len(PROBES))
    while (started := time.perf_counter()) < end:
        found.append(await probe.send())
        await asyncio.sleep(max(0.0, pause - (time.perf_counter() - started)))
    probe.close()
    return found


def _respondents(stack: Embedded) -> int:
    """Everything that the read API shows, of all OPDs."""
    document = json.loads(ask(stack.address, request("GET", "/v1/ikm?window=all")).body)
    return sum(int(opd["respondents"]) for opd in document["opd"])


def _figures(results: _Results) -> list[Figure]:
    loads = {
        "accepted_per_second": [round(outcome.rate, 1) for outcome in results.outcomes],
        "post_p99_ms": [round(outcome.percentile(0.99) * 1000, 2) for outcome in results.outcomes],
        "probes": [len(run) for run in results.steady],
        "all_visible_after_s": results.caught_up,
        "cores_busy": results.cores,
    }

    def figure(name: str, runs: list[list[float]], share: float, target: float | None) -> Figure:
        ours = Series("from 202 to visible", "ms", [percentile(run, share) * 1000 for run in runs])
        judged = Target(at_most=target) if target is not None else None
        return Figure(
            name, ours, None, judged, COALESCED, conditions=loads if runs is results.steady else {}
        )

    return [
        figure("freshness idle, median", results.idle, 0.5, 150),
        figure("freshness idle, worst", results.idle, 1, 150),
        figure(f"freshness at {RATE:,}/s, p50", results.steady, 0.5, None),
        figure(f"freshness at {RATE:,}/s, p99", results.steady, 0.99, 1000),
    ]

"""A second worker on the same inbox: how much it adds where cores are free, nothing pinned."""

import os
from contextlib import ExitStack

from benchmarks.figures import Figure, Target
from benchmarks.load.sample import bodies
from benchmarks.measures import inbox
from benchmarks.plan import Plan
from benchmarks.running.processes import pinned
from benchmarks.running.product import Product, prepare
from benchmarks.running.programs import Program
from benchmarks.running.stores import stores
from benchmarks.trial import Trials, watch

WARM_UP = 2_000
FREE = 0.8  # of a core, to call it free


def measure(plan: Plan) -> list[Figure]:
    """Measure responses counted per second by two workers, beside one."""
    folder, number = plan.subfolder("workers"), plan.size(200_000, 20_000)
    everywhere = plan.cores.measured | plan.cores.others
    trials = {1: Trials("one worker", "/s"), 2: Trials("two workers", "/s")}
    with pinned(everywhere), stores(folder, everywhere) as running:
        product = prepare(running)
        for turn in range(plan.runs):
            for workers, noted in trials.items():
                noted.add(*_count(product, workers, f"{turn}-{workers}", number))
    free = len(everywhere) - max(sum(run.values()) for run in trials[1].cores)
    return [
        Figure(
            "a second worker",
            trials[2].series,
            trials[1].series,
            Target(at_least=1.5),
            f"two workers: {trials[2].busy()}",
            not_judged=""
            if free >= FREE
            else f"no free core: one worker, its stores and others left {free:.2f} cores",
            conditions={"one": trials[1].evidence(), "two": trials[2].evidence()},
        )
    ]


def _count(
    product: Product, workers: int, turn: str, number: int
) -> tuple[float, dict[str, float]]:
    """Return the rate of a fresh set of workers, and the cores that were busy."""
    cores = frozenset(os.sched_getaffinity(0))
    inbox.clear(product)
    with ExitStack() as stack:
        started = [
            stack.enter_context(product.worker("inbox", cores, f"-{turn}-{index}"))
            for index in range(workers)
        ]
        inbox.fill(product, inbox.entries(product, bodies(f"warm{turn}", WARM_UP)))
        inbox.seconds_until_counted(product, workers)
        inbox.fill(product, inbox.entries(product, bodies(f"workers{turn}", number)))
        watched = watch(_pids(started), product.stores)
        seconds = inbox.seconds_until_counted(product, workers)
        shares = watched.shares()
    assert inbox.counted(product) == number + WARM_UP
    return number / seconds, shares


def _pids(programs: list[Program]) -> list[int]:
    return [pid for program in programs for pid in program.pids()]

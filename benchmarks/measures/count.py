"""Counting: one worker empties a full inbox, beside plain COPY of the same rows and beside the textbook's worker."""

import os
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, Target
from benchmarks.load.sample import bodies
from benchmarks.measures import inbox
from benchmarks.plan import Plan
from benchmarks.running import product
from benchmarks.running.processes import Usage, pinned
from benchmarks.running.product import Product
from benchmarks.running.programs import Program
from benchmarks.running.stores import Stores, stores
from benchmarks.trial import MEASURED, Trials, watch
from benchmarks.yardsticks import copying
from benchmarks.yardsticks.textbook import run as textbook
from benchmarks.yardsticks.textbook.run import Textbook


def measure(plan: Plan) -> list[Figure]:
    """Responses counted per second."""
    folder, core = plan.subfolder("count"), plan.cores.measured
    number, tasks = plan.size(200_000, 20_000), plan.size(4_000, 500)
    trials = {
        name: Trials(name, "/s")
        for name in ("one worker", "COPY (text)", "COPY (binary)", "textbook")
    }
    with stores(folder, plan.cores.others) as running:
        ours, rival = product.prepare(running), textbook.prepare(running)
        with ours.worker("inbox", core) as worker, rival.worker(core) as slow:
            _count(ours, worker, bodies("warm", 2_000), Trials("", ""))
            for turn in range(plan.runs):
                _count(ours, worker, bodies(f"count{turn}", number), trials["one worker"])
                same = copying.rows(ours)
                for binary in (False, True):
                    _copy(
                        plan,
                        ours,
                        same,
                        trials["COPY (binary)" if binary else "COPY (text)"],
                        binary=binary,
                    )
                _textbook(
                    running, rival, slow, bodies(f"textbook{turn}", tasks), trials["textbook"]
                )
    return _figures(trials)


def _count(ours: Product, worker: Program, these: Sequence[bytes], trials: Trials) -> None:
    inbox.clear(ours)
    inbox.fill(ours, inbox.entries(these))
    watched = watch(worker.pids(), ours.stores)
    seconds = inbox.seconds_until_counted(ours)
    trials.add(len(these) / seconds, watched.shares())
    assert inbox.counted(ours) == len(these)


def _copy(
    plan: Plan, ours: Product, same: Sequence[copying.Row], trials: Trials, *, binary: bool
) -> None:
    inbox.clear(ours)
    with pinned(plan.cores.measured), ours.connect() as connection:
        watched = Usage({MEASURED: [os.getpid()], **ours.stores.pids()})
        seconds = copying.copy_seconds(connection, same, binary=binary)
        trials.add(len(same) / seconds, watched.shares())
    assert inbox.counted(ours) == len(same)


def _textbook(
    running: Stores, rival: Textbook, worker: Program, these: Sequence[bytes], trials: Trials
) -> None:
    """From the moment at which all tasks are sent; what was counted until then does not count."""
    expected = rival.counted() + len(these)
    rival.send(these)
    watched = watch(worker.pids(), running)
    started, before = time.perf_counter(), rival.counted()
    while (counted := rival.counted()) < expected:
        time.sleep(0.05)
    trials.add((counted - before) / (time.perf_counter() - started), watched.shares())


def _figures(trials: dict[str, Trials]) -> list[Figure]:
    ours = trials["one worker"]
    targets = {
        "COPY (text)": Target(at_least=0.45),
        "COPY (binary)": None,
        "textbook": Target(at_least=40),
    }
    return [
        Figure(
            f"count, beside {name}",
            ours.series,
            trials[name].series,
            target,
            f"the worker: {ours.busy(trials[name])}",
            conditions={"ours": ours.evidence(), "yardstick": trials[name].evidence()},
        )
        for name, target in targets.items()
    ]

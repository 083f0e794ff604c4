"""Counting: one worker empties a full inbox, beside COPY of its rows and the textbook's worker."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, Target
from benchmarks.load.sample import bodies
from benchmarks.measures import inbox
from benchmarks.plan import Plan
from benchmarks.running.processes import Usage, pinned
from benchmarks.running.product import Product
from benchmarks.running.product import prepare as prepare_product
from benchmarks.running.programs import Program
from benchmarks.running.stores import stores
from benchmarks.trial import MEASURED, Trials, watch
from benchmarks.yardsticks.copying import Row, copy_seconds, response_rows
from benchmarks.yardsticks.textbook.run import Textbook
from benchmarks.yardsticks.textbook.run import prepare as prepare_textbook

WARM_UP = 2_000  # responses, before each run of the product and of COPY
TARGETS = {
    "COPY (text)": Target(at_least=0.45),
    "COPY (binary)": None,
    "textbook": Target(at_least=40),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """The product and the textbook, each with its worker running."""

    product: Product
    worker: Program
    textbook: Textbook
    textbook_worker: Program


def measure(plan: Plan) -> list[Figure]:
    """Measure responses counted per second."""
    folder, core = plan.subfolder("count"), plan.cores.measured
    trials = {name: Trials(name, "/s") for name in ("one worker", *TARGETS)}
    with stores(folder, plan.cores.others) as running:
        product, textbook = prepare_product(running), prepare_textbook(running)
        with product.worker("inbox", core) as worker, textbook.worker(core) as textbook_worker:
            field = _Field(product, worker, textbook, textbook_worker)
            for turn in range(plan.runs):
                _run(plan, field, turn, trials)
    return _figures(trials)


def _run(plan: Plan, field: _Field, turn: int, trials: dict[str, Trials]) -> None:
    """Run the product and its yardsticks once, each warmed up before its clock starts."""
    product, number = field.product, plan.size(200_000, 20_000)
    _count(product, field.worker, bodies(f"warm{turn}", WARM_UP), Trials("", ""))
    _count(product, field.worker, bodies(f"count{turn}", number), trials["one worker"])
    rows = response_rows(product)
    for binary, name in ((False, "COPY (text)"), (True, "COPY (binary)")):
        _copy(plan, product, rows[:WARM_UP], Trials("", ""), binary=binary)
        _copy(plan, product, rows, trials[name], binary=binary)
    tasks = bodies(f"textbook{turn}", plan.size(4_000, 500))
    _textbook(field, tasks, trials["textbook"])


def _count(product: Product, worker: Program, sent: Sequence[bytes], trials: Trials) -> None:
    inbox.clear(product)
    inbox.fill(product, inbox.entries(product, sent))
    watched = watch(worker.pids(), product.stores)
    seconds = inbox.seconds_until_counted(product)
    trials.add(len(sent) / seconds, watched.shares())
    assert inbox.counted(product) == len(sent)


def _copy(
    plan: Plan, product: Product, rows: Sequence[Row], trials: Trials, *, binary: bool
) -> None:
    inbox.clear(product)
    with pinned(plan.cores.measured), product.connect() as connection:
        watched = Usage({MEASURED: [os.getpid()], **product.stores.pids()})
        seconds = copy_seconds(connection, rows, binary=binary)
        trials.add(len(rows) / seconds, watched.shares())
    assert inbox.counted(product) == len(rows)


def _textbook(field: _Field, sent: Sequence[bytes], trials: Trials) -> None:
    """From the moment at which all tasks are sent: what was counted until then is its warm-up."""
    textbook = field.textbook
    expected = textbook.counted() + len(sent)
    textbook.send(sent)
    watched = watch(field.textbook_worker.pids(), textbook.stores)
    started, before = time.perf_counter(), textbook.counted()
    while (counted := textbook.counted()) < expected:
        time.sleep(0.05)
    trials.add((counted - before) / (time.perf_counter() - started), watched.shares())


def _figures(trials: dict[str, Trials]) -> list[Figure]:
    worker = trials["one worker"]
    return [
        Figure(
            f"count, beside {name}",
            worker.series,
            trials[name].series,
            target,
            f"the worker: {worker.busy(trials[name])}",
            cpu=worker.cpu_beside(trials[name]),
            conditions={"ours": worker.evidence(), "yardstick": trials[name].evidence()},
        )
        for name, target in TARGETS.items()
    ]

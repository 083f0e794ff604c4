"""Contenders for HTTP load, run in turns, and the evidence of each run: who kept which core busy meanwhile."""

import itertools
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Series, Target
from benchmarks.load.closed_loop import Outcome, drive
from benchmarks.plan import Plan
from benchmarks.running.processes import Usage
from benchmarks.running.product import Server
from benchmarks.running.stores import Stores

MEASURED = "measured"
WARM_UP = 1.0


@dataclass(slots=True)
class Trials:
    """The runs of one contender: a value per run, and the cores that were kept busy in it."""

    what: str
    unit: str
    values: list[float] = field(default_factory=list)
    cores: list[dict[str, float]] = field(default_factory=list)
    cpu_us: list[float] = field(
        default_factory=list
    )  # CPU of the measured process per unit of work, microseconds

    def add(self, value: float, cores: dict[str, float]) -> None:
        """Note one run: units of work per second, and the cores that were busy."""
        self.values.append(value)
        self.cores.append(cores)
        self.cpu_us.append(round(cores[MEASURED] / value * 1e6, 2))

    @property
    def series(self) -> Series:
        """The values."""
        return Series(self.what, self.unit, self.values)

    def evidence(self) -> dict[str, object]:
        """For the result file."""
        return {"cores_busy": self.cores, "cpu_us_each": self.cpu_us}

    def busy(self, beside: "Trials | None" = None) -> str:
        """Such as "62 µs of CPU each (yardstick 35); busy cores: measured 0.99, client 0.61, …"."""
        means = {name: statistics.mean(run[name] for run in self.cores) for name in self.cores[0]}
        cores = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items() if mean >= 0.005)
        other = f" (yardstick {beside.cpu_each:.3g})" if beside is not None else ""
        return f"{self.cpu_each:.3g} µs of CPU each{other}; busy cores: {cores}"

    @property
    def cpu_each(self) -> float:
        """CPU of the measured process per unit of work, microseconds: the median of the runs."""
        return statistics.median(self.cpu_us)


@dataclass(slots=True)
class Contender:
    """A server and the load that it gets. `each` is the units of work in one request."""

    trials: Trials
    server: Server
    requests: Sequence[bytes]
    status: int
    each: int = 1
    connections: int = 64
    after: Callable[[Outcome], None] | None = None
    p99_ms: list[float] = field(default_factory=list)

    def run(self, stores: Stores, seconds: float) -> None:
        """One load, noted."""
        watched = watch(self.server.program.pids(), stores)
        requests = itertools.cycle(self.requests)
        outcome = drive(
            self.server.address, requests, connections=self.connections, seconds=seconds
        )
        self.trials.add(outcome.rate * self.each, watched.shares())
        self.p99_ms.append(round(outcome.percentile(0.99) * 1000, 2))
        outcome.expect(self.status)
        if self.after is not None:
            self.after(outcome)

    def evidence(self) -> dict[str, object]:
        """For the result file."""
        return {"connections": self.connections, "p99_ms": self.p99_ms, **self.trials.evidence()}


def figure(
    name: str, ours: Contender, yardstick: Contender, target: Target | None, who: str
) -> Figure:
    """One contender beside another; `who` names the process that was measured."""
    return Figure(
        name,
        ours.trials.series,
        yardstick.trials.series,
        target,
        f"{who}: {ours.trials.busy(yardstick.trials)}",
        conditions={"ours": ours.evidence(), "yardstick": yardstick.evidence()},
    )


def watch(pids: Sequence[int], stores: Stores) -> Usage:
    """Watch the measured processes, the stores and this client."""
    return Usage({MEASURED: pids, "client": [os.getpid()], **stores.pids()})


def interleaved(contenders: Sequence[Contender], stores: Stores, plan: Plan) -> None:
    """Warm every contender up, then give each its load in turn, run after run."""
    for contender in contenders:
        contender.run(stores, WARM_UP)
        contender.trials = Trials(contender.trials.what, contender.trials.unit)
        contender.p99_ms.clear()
    for _ in range(plan.runs):
        for contender in contenders:
            contender.run(stores, plan.seconds)

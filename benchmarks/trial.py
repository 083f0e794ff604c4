"""Contenders for HTTP load, run in turns, and the evidence of each run: which core was how busy."""

import itertools
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import CpuCost, Figure, Series, Target
from benchmarks.load.closed_loop import drive
from benchmarks.load.outcome import Outcome
from benchmarks.plan import Plan
from benchmarks.running.processes import Usage
from benchmarks.running.product import Server
from benchmarks.running.stores import Stores

MEASURED = "measured"


@dataclass(slots=True)
class Trials:
    """The runs of one contender: a value per run, and the cores that were kept busy in it."""

    what: str
    unit: str
    values: list[float] = field(default_factory=list)
    cores: list[dict[str, float]] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)  # of the measured process per unit of work

    def add(self, value: float, cores: dict[str, float]) -> None:
        """Note one run: units of work per second, and the cores that were busy."""
        self.values.append(value)
        self.cores.append(cores)
        self.cpu_us.append(round(cores[MEASURED] / value * 1e6, 2))

    @property
    def series(self) -> Series:
        """The values."""
        return Series(self.what, self.unit, self.values)

    @property
    def cpu_series(self) -> Series:
        """The CPU of the measured process for each unit of work."""
        return Series(self.what, "µs", self.cpu_us)

    def cpu_beside(self, yardstick: "Trials") -> CpuCost:
        """Return what a unit of work costs here and there."""
        return CpuCost(self.cpu_series, yardstick.cpu_series)

    def evidence(self) -> dict[str, object]:
        """Return all of it for the result file."""
        return {"cores_busy": self.cores, "cpu_us_each": self.cpu_us}

    def busy(self, yardstick: "Trials | None" = None) -> str:
        """Such as "62 µs of CPU each (yardstick 35); busy cores: measured 0.99, client 0.61"."""
        means = {name: statistics.mean(run[name] for run in self.cores) for name in self.cores[0]}
        cores = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items() if mean >= 0.005)
        beside = f" (yardstick {yardstick.cpu_series})" if yardstick is not None else ""
        return f"{self.cpu_series} of CPU each{beside}; busy cores: {cores}"


@dataclass(slots=True)
class Contender:
    """A server and the load that it gets. `each` is the units of work in one request."""

    trials: Trials
    server: Server
    requests: Sequence[bytes]
    status: int
    each: int = 1
    connections: int = 64
    after: Callable[[int], None] | None = None  # is told how many requests a run answered
    p99_ms: list[float] = field(default_factory=list)

    def run(self, stores: Stores, plan: Plan) -> None:
        """Warm the server up, then note what one load came to."""
        requests = itertools.cycle(self.requests)
        warm_up = self._drive(requests, plan.warm_up_s)
        watched = watch(self.server.program.pids(), stores)
        outcome = self._drive(requests, plan.seconds)
        self.trials.add(outcome.rate * self.each, watched.shares())
        self.p99_ms.append(round(outcome.latency_ms(0.99), 2))
        if self.after is not None:
            self.after(warm_up.answers + outcome.answers)

    def evidence(self) -> dict[str, object]:
        """Return the evidence of its runs for the result file."""
        return {"connections": self.connections, "p99_ms": self.p99_ms, **self.trials.evidence()}

    def _drive(self, requests: "itertools.cycle[bytes]", seconds: float) -> Outcome:
        outcome = drive(
            self.server.address, requests, connections=self.connections, seconds=seconds
        )
        return outcome.expect(self.status)


def figure(
    name: str, product: Contender, yardstick: Contender, target: Target | None, who: str
) -> Figure:
    """Put one contender beside another; `who` names the process that was measured."""
    return Figure(
        name,
        product.trials.series,
        yardstick.trials.series,
        target,
        f"{who}: {product.trials.busy(yardstick.trials)}",
        cpu=product.trials.cpu_beside(yardstick.trials),
        conditions={"ours": product.evidence(), "yardstick": yardstick.evidence()},
    )


def watch(pids: Sequence[int], stores: Stores) -> Usage:
    """Watch the measured processes, the stores and this client."""
    return Usage({MEASURED: pids, "client": [os.getpid()], **stores.pids()})


def interleaved(contenders: Sequence[Contender], stores: Stores, plan: Plan) -> None:
    """Give each contender its load in turn, run after run."""
    for _ in range(plan.runs):
        for contender in contenders:
            contender.run(stores, plan)

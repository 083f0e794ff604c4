"""A figure: what was measured, its yardstick, the target, and whether it was met."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.ops.terminal import Column, print_table

TITLES = ("figure", "ours", "yardstick", "ratio", "by CPU", "target", "ok", "bound by")


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity, measured once per run. Its value is the median of the runs."""

    what: str
    unit: str
    runs: Sequence[float]

    @property
    def median(self) -> float:
        """The median of the runs."""
        return statistics.median(self.runs)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "what": self.what,
            "unit": self.unit,
            "runs": [significant(run) for run in self.runs],
            "median": significant(self.median),
        }

    def __str__(self) -> str:
        """Such as "32,100 /s (30,900–32,300)": the median, the least and the most of the runs."""
        shown = f"{_shown(self.median)} {self.unit}"
        if len(self.runs) == 1:
            return shown
        return f"{shown} ({_shown(min(self.runs))}–{_shown(max(self.runs))})"


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio (or, without a yardstick, the quantity itself) must reach or may not exceed."""

    at_least: float | None = None
    at_most: float | None = None
    by_cpu_too: bool = False  # the ratio of CPU per unit of work must reach it, too

    def met_by(self, value: float) -> bool:
        """Whether `value` is good enough."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def __str__(self) -> str:
        """Such as ">= 0.55, by CPU too"."""
        bounds = ((">=", self.at_least), ("<=", self.at_most))
        texts = [f"{sign} {value:g}" for sign, value in bounds if value is not None]
        return ", ".join([*texts, "by CPU too"] if self.by_cpu_too else texts)


@dataclass(frozen=True, slots=True)
class CpuCost:
    """CPU of the measured process for each unit of work: the product's, and the yardstick's."""

    product_us: Series
    yardstick_us: Series

    @property
    def ratio(self) -> float:
        """How many units the product does with the CPU that the yardstick needs for one."""
        return self.yardstick_us.median / self.product_us.median


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result."""

    name: str
    product: Series
    yardstick: Series | None = None
    target: Target | None = None
    bound_by: str = ""
    not_judged: str = ""  # why the target does not apply to this machine
    cpu: CpuCost | None = None
    conditions: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Median of the product's runs over median of the yardstick's."""
        return None if self.yardstick is None else self.product.median / self.yardstick.median

    @property
    def cpu_ratio(self) -> float | None:
        """The same by the CPU of a unit of work, which company on the machine moves less."""
        return None if self.cpu is None else self.cpu.ratio

    @property
    def ok(self) -> bool | None:
        """Whether the target is met; None without one, or where it does not apply."""
        if self.target is None or self.not_judged:
            return None
        judged = [self.product.median if self.ratio is None else self.ratio]
        if self.target.by_cpu_too and self.cpu is not None:
            judged.append(self.cpu.ratio)
        return all(self.target.met_by(value) for value in judged)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "ours": self.product.as_json(),
            "yardstick": self.yardstick.as_json() if self.yardstick is not None else None,
            "ratio": significant(self.ratio) if self.ratio is not None else None,
            "cpu_ratio": significant(self.cpu_ratio) if self.cpu_ratio is not None else None,
            "target": str(self.target) if self.target is not None else None,
            "ok": self.ok,
            "not_judged": self.not_judged or None,
            "bound_by": self.bound_by or None,
            "conditions": self.conditions,
        }


def print_figures(figures: Iterable[Figure]) -> None:
    """Print the figures as a table."""
    print_table([Column(title) for title in TITLES], map(_cells, figures))


def significant(value: float) -> float:
    """Round `value` to four significant digits."""
    return float(f"{value:.4g}")


def _cells(figure: Figure) -> tuple[str, ...]:
    yardstick = figure.yardstick
    return (
        figure.name,
        str(figure.product),
        f"{yardstick} {yardstick.what}" if yardstick is not None else "",
        f"{figure.ratio:.3g}" if figure.ratio is not None else "",
        f"{figure.cpu_ratio:.3g}" if figure.cpu_ratio is not None else "",
        str(figure.target or ""),
        {True: "yes", False: "NO", None: "-"}[figure.ok],
        figure.not_judged or figure.bound_by,
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{significant(value):g}"

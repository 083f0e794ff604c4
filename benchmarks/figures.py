"""A figure: what was measured, its yardstick, the target, and whether it was met; shown as a table, kept as JSON."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


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
        """The JSON form."""
        return {
            "what": self.what,
            "unit": self.unit,
            "runs": [significant(run) for run in self.runs],
            "median": significant(self.median),
        }


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio (or, without a yardstick, the quantity itself) must reach or may not exceed."""

    at_least: float | None = None
    at_most: float | None = None

    def met_by(self, value: float) -> bool:
        """Whether `value` is good enough."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def __str__(self) -> str:
        """Such as ">= 0.55"."""
        bounds = ((">=", self.at_least), ("<=", self.at_most))
        return ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result."""

    name: str
    ours: Series
    yardstick: Series | None = None
    target: Target | None = None
    bound_by: str = ""
    not_judged: str = ""  # why the target does not apply to this machine
    conditions: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Median of ours over median of the yardstick."""
        return self.ours.median / self.yardstick.median if self.yardstick is not None else None

    @property
    def ok(self) -> bool | None:
        """Whether the target is met; None without one, or where it does not apply."""
        if self.target is None or self.not_judged:
            return None
        return self.target.met_by(self.ours.median if self.ratio is None else self.ratio)

    def as_json(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "ours": self.ours.as_json(),
            "yardstick": self.yardstick.as_json() if self.yardstick is not None else None,
            "ratio": significant(self.ratio) if self.ratio is not None else None,
            "target": str(self.target) if self.target is not None else None,
            "ok": self.ok,
            "not_judged": self.not_judged or None,
            "bound_by": self.bound_by or None,
            "conditions": self.conditions,
        }


def table(figures: Iterable[Figure]) -> str:
    """The figures as aligned text, one line each."""
    rows = [
        ("figure", "ours", "yardstick", "ratio", "target", "ok", "bound by"),
        *map(_row, figures),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def significant(value: float) -> float:
    """`value` to four significant digits."""
    return float(f"{value:.4g}")


def _row(figure: Figure) -> tuple[str, ...]:
    yardstick = figure.yardstick
    ok = {True: "yes", False: "NO", None: "-"}[figure.ok]
    return (
        figure.name,
        _quantity(figure.ours),
        f"{_quantity(yardstick)} {yardstick.what}" if yardstick is not None else "",
        f"{figure.ratio:.3g}" if figure.ratio is not None else "",
        str(figure.target or ""),
        ok,
        figure.not_judged or figure.bound_by,
    )


def _quantity(series: Series) -> str:
    value = series.median
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{significant(value):g}"
    return f"{shown} {series.unit}"

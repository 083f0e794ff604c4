"""Days cut at the borders of all windows: the sum of a window is the sum of the segments in it.

Segment i holds the days d with borders[i-1] <= d < borders[i] (the first and the last are open):
what PostgreSQL's width_bucket gives, so one statement sums the days of every window at once.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from shared.domain.window import Window, rolling_windows

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of days between ascending borders."""

    borders: tuple[date, ...]

    @classmethod
    def of(cls, windows: Iterable[Window], *more: date) -> Self:
        """Cut where a window begins, on the day after it ends, and at further borders."""
        borders = set(more)
        for window in windows:
            if window.first is not None:
                borders.add(window.first)
            if window.last is not None:
                borders.add(window.last + _DAY)
        return cls(tuple(sorted(borders)))

    def of_day(self, day: date) -> int:
        """Return the segment that a day lies in."""
        return bisect_right(self.borders, day)

    def of_window(self, window: Window) -> range:
        """Return the segments of a window; it must be one that the days were cut for."""
        first = 0 if window.first is None else self.of_day(window.first)
        last = len(self.borders) if window.last is None else self.of_day(window.last)
        return range(first, last + 1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The rolling windows of one local day, and the days cut into segments for all of them.

    Settled are the days before yesterday. A batch that began before midnight still adds to the day
    that has just become yesterday without saying that it touched the past, so yesterday is always
    read afresh.
    """

    today: date
    windows: tuple[Window, ...]
    segments: Segments
    unsettled_from: date

    @classmethod
    def of(cls, today: date) -> Self:
        """Return the calendar of a local day."""
        windows, yesterday = rolling_windows(today), today - _DAY
        return cls(today, windows, Segments.of(windows, yesterday), yesterday)

    def is_settled(self, segment: int) -> bool:
        """Tell whether a segment lies before the unsettled days."""
        return segment < self.segments.of_day(self.unsettled_from)

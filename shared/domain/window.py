"""Windows and periods: which local days an index is about, and how a trend cuts them into buckets.

A period is an entity with dates in local time (triwulan, semester, tahun, bulan): its name says its
days.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Self

from shared.domain.errors import NaiveInstant, ReversedPeriod, UnknownStep, UnknownWindow


@dataclass(frozen=True, slots=True)
class Window:
    """A named range of local days, both ends included; None leaves that end open."""

    name: str
    first: date | None
    last: date | None

    def __contains__(self, day: date) -> bool:
        """Tell whether the day is one of the window's."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def covers(self, other: Self) -> bool:
        """Tell whether all days of another window are this one's too."""
        begins_before = self.first is None or (
            other.first is not None and self.first <= other.first
        )
        ends_after = self.last is None or (other.last is not None and other.last <= self.last)
        return begins_before and ends_after


# The windows that move with the day, and how many days they hold, today being the last.
MOVING_DAYS: Final[Mapping[str, int]] = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365}
# The windows that move with the month, and how many months they hold, this month being the last.
MOVING_MONTHS: Final[Mapping[str, int]] = {"3m": 3, "12m": 12}
ALL: Final = Window("all", None, None)

# The periods of the calendar: how a name is written, and how many months such a period has.
_PERIODS: Final = (
    (re.compile(r"(\d{4})-Q([1-4])", re.ASCII), 3),
    (re.compile(r"(\d{4})-S([12])", re.ASCII), 6),
    (re.compile(r"(\d{4})()", re.ASCII), 12),
    (re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII), 1),
)


def local_day(instant: datetime, zone: tzinfo) -> date:
    """Return the day on the calendar of the zone; NaiveInstant when the time has no offset."""
    if instant.utcoffset() is None:
        raise NaiveInstant(instant.isoformat())
    return instant.astimezone(zone).date()


def named_window(name: str, today: date) -> Window:
    """Return the window that a name stands for on this local day; UnknownWindow if for none."""
    if name == ALL.name:
        return ALL
    if name in MOVING_DAYS:
        return Window(name, today - timedelta(days=MOVING_DAYS[name] - 1), today)
    if name in MOVING_MONTHS:
        return _months_up_to(name, today, MOVING_MONTHS[name])
    return period(name)


@lru_cache(maxsize=4096)
def period(name: str) -> Window:
    """Return the month, triwulan, semester or year of a name; UnknownWindow if it is of none."""
    for pattern, months in _PERIODS:
        match = pattern.fullmatch(name)
        if match is not None and match[1] != "0000":
            return _period(name, int(match[1]), int(match[2] or 1), months)
    raise UnknownWindow(name)


def rolling_windows(today: date) -> tuple[Window, ...]:
    """Return the windows kept ready: the moving ones, the current periods, and all."""
    _, *longer_periods = periods_of(today)
    names = (*MOVING_DAYS, *(period.name for period in longer_periods), ALL.name)
    return tuple(named_window(name, today) for name in names)


def public_windows(today: date) -> tuple[Window, ...]:
    """Return the windows kept ready for everybody: the current periods, moving months, and all."""
    names = (*(period.name for period in periods_of(today)), *MOVING_MONTHS, ALL.name)
    return tuple(named_window(name, today) for name in names)


def is_public(name: str) -> bool:
    """Tell whether everybody may ask for the window of this name: one of whole months, or all."""
    is_period = any(pattern.fullmatch(name) for pattern, _ in _PERIODS)
    return is_period or name in MOVING_MONTHS or name == ALL.name


@lru_cache(maxsize=4096)
def periods_of(day: date) -> tuple[Window, ...]:
    """Return the month, the triwulan, the semester and the year that a day lies in."""
    year, quarter, half = f"{day.year:04}", (day.month + 2) // 3, (day.month + 5) // 6
    names = (f"{year}-{day.month:02}", f"{year}-Q{quarter}", f"{year}-S{half}", year)
    return tuple(map(period, names))


def window_between(first: date | None, last: date | None) -> Window:
    """Return the window from day to day; ReversedPeriod when it would end before it begins."""
    if first is not None and last is not None:
        _demand_order(first, last)
    return Window(f"{first or ''}..{last or ''}", first, last)


def buckets(step: str, first: date, last: date) -> list[tuple[date, date]]:
    """Cut the days into buckets of a day, an ISO week (from Monday) or a month.

    The first and the last bucket may be cut off. Every day is in exactly one bucket. UnknownStep
    for another step, ReversedPeriod for an end before the start.
    """
    _demand_order(first, last)
    if step not in STEPS:
        raise UnknownStep(step)
    days_left = STEPS[step]
    parts: list[tuple[date, date]] = []
    start, end = first.toordinal(), last.toordinal()
    while start <= end:
        day = date.fromordinal(start)
        stop = min(start + days_left(day), end)
        parts.append((day, date.fromordinal(stop)))
        start = stop + 1
    return parts


# step -> how many days follow a day in its bucket
STEPS: Final[Mapping[str, Callable[[date], int]]] = {
    "day": lambda _: 0,
    "week": lambda day: 6 - day.weekday(),
    "month": lambda day: monthrange(day.year, day.month)[1] - day.day,
}


def _period(name: str, year: int, ordinal: int, months: int) -> Window:
    last_month = ordinal * months
    first = date(year, last_month - months + 1, 1)
    return Window(name, first, date(year, last_month, monthrange(year, last_month)[1]))


def _months_up_to(name: str, today: date, months: int) -> Window:
    month = 12 * today.year + today.month - months  # the first one, counted from January of year 0
    last_day = monthrange(today.year, today.month)[1]
    return Window(name, date(month // 12, month % 12 + 1, 1), today.replace(day=last_day))


def _demand_order(first: date, last: date) -> None:
    if first > last:
        raise ReversedPeriod(f"{first}..{last}")

"""The public windows of a local day, and which months are closed."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from shared.domain.release import CLOSE_DAYS, last_closed_day
from shared.domain.window import Window, public_windows


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon things become public: the days until a month is closed, and the least time between.

    `between` two steps of one bin today: without it a refresh under a steady load takes half as
    much CPU again (117 ms, 176 with a step of every fifth bin, 30 OPDs with five layanan each).
    """

    close_days: int = CLOSE_DAYS
    between: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class PublicCalendar:
    """The windows kept ready for everybody, and the last day of the months that are closed.

    Only bins of periods that last until `recent_from` or longer may move without a past day being
    touched; see Calendar.
    """

    today: date
    windows: tuple[Window, ...]
    closed_to: date
    recent_from: date

    @classmethod
    def of(cls, today: date, close_days: int) -> Self:
        """Return the calendar of a local day."""
        yesterday = today - timedelta(days=1)
        return cls(today, public_windows(today), last_closed_day(today, close_days), yesterday)

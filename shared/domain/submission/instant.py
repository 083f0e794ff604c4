"""Times as senders write them: RFC 3339 with an offset, and the local day in which such a time lies.

Beyond RFC 3339 an offset without its colon (+0700) is understood, as many devices write it. The
leap second (:60) is refused: no clock of ours can hold it. Fractions of any length are rounded
half-up to microseconds.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

from shared.domain.errors import NaiveInstant

# A year's distance from the ends of the calendar: no time zone and no window can then leave it.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9998

_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d))",
    re.ASCII,
)


def parse_instant(text: str) -> datetime | None:
    """Return the time that the text names, with its offset; None when it names none between the two years."""
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    day, time, fraction, sign, hours, minutes = match.groups()
    zone = UTC if sign is None else _zone(sign, int(hours), int(minutes))
    try:
        instant = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=zone) + _rounded(
            fraction or ""
        )
    except (
        ValueError,
        OverflowError,
    ):  # no such day or hour; or a fraction rounded past the year 9999
        return None
    return instant if FIRST_YEAR <= instant.year <= LAST_YEAR else None


def _zone(sign: str, hours: int, minutes: int) -> timezone:
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def _rounded(fraction: str) -> timedelta:
    digits = fraction.ljust(7, "0")
    return timedelta(microseconds=int(digits[:6]) + (digits[6] >= "5"))


def local_day(instant: datetime, zone: tzinfo) -> date:
    """Return the day on the calendar of the zone; NaiveInstant when the time has no offset."""
    if instant.utcoffset() is None:
        raise NaiveInstant(instant.isoformat())
    return instant.astimezone(zone).date()

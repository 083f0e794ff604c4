"""Times as senders write them: RFC 3339 with an offset.

Beyond RFC 3339 an offset without its colon (+0700) is understood, as many devices write it. The
leap second (:60) is refused: no clock of ours can hold it. Fractions of any length are rounded
half-up to microseconds.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

# A year's distance from the ends of the calendar: no time zone and no window can then leave it.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9998

_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d))",
    re.ASCII,
)


def parse_instant(text: str) -> datetime | None:
    """Return the time that the text names; None when it names none between the two years."""
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    day, time, fraction, sign, hours, minutes = match.groups()
    zone = UTC if sign is None else _zone(sign, int(hours), int(minutes))
    try:
        second = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=zone)
        instant = second + _rounded(fraction or "")
    except ValueError:  # no such day or hour
        return None
    except OverflowError:  # a fraction that is rounded past the year 9999
        return None
    return instant if FIRST_YEAR <= instant.year <= LAST_YEAR else None


def _zone(sign: str, hours: int, minutes: int) -> timezone:
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def _rounded(fraction: str) -> timedelta:
    digits = fraction.ljust(7, "0")
    return timedelta(microseconds=int(digits[:6]) + (digits[6] >= "5"))

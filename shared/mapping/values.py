"""What a field of a record holds, as the kinds of values that a submission has.

Records come from forms, JSON and spreadsheets: everything may be text, a number may be a float, and
an empty cell, null and "not a number" all mean that nothing was said.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from shared.domain.errors import IkmError
from shared.domain.submission.rules import UNSTORABLE

INTEGER_MAX: Final = 1_000_000_000
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,9}(?:\.0{1,9})?")

Convert = Callable[[object], object]


class Unfit(IkmError):
    """The value cannot be read as what it should be."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def plain_text(value: object) -> str | None:
    """Return a value as text without spaces around it; None when it says nothing."""
    if value is None:
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() and abs(value) <= INTEGER_MAX else value
    elif isinstance(value, datetime | date):
        value = value.isoformat()
    elif not isinstance(value, str | int):
        raise Unfit("type", "must be a single value, not a list or an object")
    text = _written(value).strip()
    if UNSTORABLE.search(text):
        raise Unfit("character", "must not contain NUL or half of a surrogate pair")
    return text or None


def whole_number(value: object) -> int | None:
    """Return a value as a whole number: 4, "4" and 4.0 are the same; None when it says nothing."""
    text = plain_text(value)
    if text is None:
        return None
    if isinstance(value, bool) or not _INTEGER.fullmatch(text):
        raise Unfit("type", "must be a whole number")
    return int(text.partition(".")[0])


def folded(value: object) -> str | None:
    """Return a value as tables of values are searched: without regard to capitals and spaces."""
    text = plain_text(value)
    return None if text is None else " ".join(text.split()).casefold()


def _written(value: str | float) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits, which Python refuses to write
        raise Unfit("type", "is too large a number") from None

"""Figures as Indonesian text: decimal comma, thousands point, local time with its zone."""

from datetime import date, datetime
from decimal import Decimal

MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
NOTHING = "–"


def number(value: Decimal | int | None) -> str:
    """1.234 and 88,31; a dash for nothing."""
    if value is None:
        return NOTHING
    return f"{value:,}".translate(str.maketrans(",.", ".,"))


def day(value: date) -> str:
    """3 Nov 2026."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime | None) -> str:
    """3 Nov 2026 12.04 WIB; a dash for nothing. The value carries its zone."""
    if value is None:
        return NOTHING
    return f"{day(value)} {value:%H.%M} {value.tzname()}"

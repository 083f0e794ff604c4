"""Figures as Indonesian text: decimal comma, thousands point, local time with its zone."""

from datetime import date, datetime
from decimal import Decimal

MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
NOTHING = "—"


def number(value: Decimal | int | None) -> str:
    """Write a number as 1.234 or 88,31; a dash for none."""
    if value is None:
        return NOTHING
    return f"{value:,}".translate(str.maketrans(",.", ".,"))


def day(value: date) -> str:
    """Write a day as 3 Nov 2026."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime | None) -> str:
    """Write an instant in its own zone, as 3 Nov 2026 12.04 WIB; a dash for none."""
    if value is None:
        return NOTHING
    return f"{day(value)} {value:%H.%M} {value.tzname()}"

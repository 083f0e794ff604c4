"""Exact rounding: half-up from rational numbers, never through binary floating point."""

from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Final

_ROOT_DIGITS: Final = 24


def half_up(value: Fraction, places: int) -> Decimal:
    """Return the value rounded to so many decimals, a tie going away from zero (as 88.305 to 88.31)."""
    scaled = abs(value) * 10**places
    digits = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if value < 0 and digits else ""
    return Decimal(f"{sign}{digits}E-{places}")  # from text: exact, whatever the decimal context


def root(value: Fraction) -> Fraction:
    """Return the square root, exact where it is rational, else cut after two dozen decimals."""
    scale = 10**_ROOT_DIGITS
    return Fraction(
        isqrt(value.numerator * value.denominator * scale * scale), value.denominator * scale
    )

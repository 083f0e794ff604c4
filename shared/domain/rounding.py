"""Exact numbers and their rounding: half-up from rational numbers, never through a binary float."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Final, NamedTuple

_ROOT_SCALE: Final = 10**24


class Ratio(NamedTuple):
    """A rational number that is not reduced, its denominator positive.

    It is to a Fraction what a note is to a fair copy: made in a tenth of the time.
    """

    numerator: int
    denominator: int

    def fraction(self) -> Fraction:
        """Return the same number, reduced."""
        return Fraction(self.numerator, self.denominator)


def half_up(value: Fraction | Ratio, places: int) -> Decimal:
    """Return the value rounded to so many decimals; a tie goes away from zero (88.305 to 88.31)."""
    return quotient(value.numerator, value.denominator, places)


def quotient(numerator: int, denominator: int, places: int) -> Decimal:
    """Return the quotient rounded half-up to so many decimals; the denominator is positive."""
    units = (2 * abs(numerator) * 10**places + denominator) // (2 * denominator)
    return _decimal(units if numerator >= 0 else -units, places)


def root(value: Fraction | Ratio) -> Ratio:
    """Return the square root, exact where it is rational, else cut after two dozen decimals."""
    numerator, denominator = value.numerator, value.denominator
    return Ratio(
        isqrt(numerator * denominator * _ROOT_SCALE * _ROOT_SCALE), denominator * _ROOT_SCALE
    )


@lru_cache(maxsize=16_384)  # 7,501 indices with two decimals and 3,001 means with three
def _decimal(units: int, places: int) -> Decimal:
    return Decimal(f"{units}E-{places}")  # from text: exact, whatever the decimal context

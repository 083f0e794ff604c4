"""The letters of an index: mutu pelayanan and kinerja unit pelayanan.

Source: PermenPAN-RB 14/2017, table of values. The printed table (88,31-100,00; 76,61-88,30;
65,00-76,60; 25,00-64,99) has holes between its bands, which real figures fall into. So: round
half-up to two decimals first, then choose by the lower bounds.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from shared.domain.rounding import half_up

IKM_PLACES: Final = 2


@dataclass(frozen=True, slots=True)
class Mutu:
    """A letter, its words, and the lowest index that has it."""

    letter: str
    kinerja: str
    minimum: Decimal


# From the best down; whatever is below C is D, also the 24.75 that the weight 0.11 can give.
MUTU: Final = (
    Mutu("A", "Sangat Baik", Decimal("88.31")),
    Mutu("B", "Baik", Decimal("76.61")),
    Mutu("C", "Kurang Baik", Decimal("65.00")),
    Mutu("D", "Tidak Baik", Decimal("25.00")),
)


@lru_cache(maxsize=16_384)  # there are 7,501 indices with two decimals
def mutu(ikm: Decimal) -> Mutu:
    """Return the letter of an index or of an unsur's value (NRR x 25), which is rounded first."""
    rounded = half_up(Fraction(ikm), IKM_PLACES)
    return next((band for band in MUTU if rounded >= band.minimum), MUTU[-1])

"""The figures of shared.domain.ikm in plain integers: as exact, and fast enough for every window of every service.

A refresh computes thousands of figures a second; rational objects would cost it a core. Each
function here says which one of the domain it equals; a property test holds them to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import gcd, isqrt, lcm
from operator import floordiv, mul
from typing import Self

from shared.domain.ikm import IKM_PLACES, NRR_PLACES, WeightScheme
from shared.domain.mutu import Mutu, mutu
from shared.domain.questionnaire import SCORES
from shared.domain.tally import Tally

_ROOT = 10**24  # decimals of the square root, as shared.domain.rounding.root cuts it
_ENOUGH_FOR_VARIANCE = 2
_LOWEST, _HIGHEST = 25, 100


@dataclass(frozen=True, slots=True)
class Ratio:
    """A non-negative rational number that is not reduced."""

    numerator: int
    denominator: int

    def rounded(self, places: int) -> Decimal:
        """Equals shared.domain.rounding.half_up."""
        scaled = 2 * self.numerator * int(10**places)
        return decimal((scaled + self.denominator) // (2 * self.denominator), places)

    def fraction(self) -> Fraction:
        """The same number, reduced."""
        return Fraction(self.numerator, self.denominator)


@lru_cache(maxsize=16_384)
def decimal(units: int, places: int) -> Decimal:
    """So many units of the last of so many decimals: 9167 and 2 give 91.67."""
    return Decimal(units).scaleb(-places)


@lru_cache(maxsize=16_384)
def letter(index: Decimal) -> Mutu:
    """Equals shared.domain.mutu.mutu, remembered."""
    return mutu(index)


@dataclass(frozen=True, slots=True)
class Scores:
    """Per unsur: how many answered it, and the sum of their scores."""

    answered: tuple[int, ...]
    total: tuple[int, ...]

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """Read both off a tally."""
        one, two, three, four = (tally.counts[score :: len(SCORES)] for score in range(len(SCORES)))
        answered = tuple([a + b + c + d for a, b, c, d in zip(one, two, three, four, strict=True)])
        total = tuple(
            [a + 2 * b + 3 * c + 4 * d for a, b, c, d in zip(one, two, three, four, strict=True)]
        )
        return cls(answered, total)

    def means(self) -> list[tuple[int, Decimal | None, Decimal | None]]:
        """Per unsur: the answers, and (none without answers) the domain's nrr and unsur_ikm, rounded half-up."""
        return [
            (
                count,
                decimal((2000 * total + count) // (2 * count), NRR_PLACES),
                decimal((5000 * total + count) // (2 * count), IKM_PLACES),
            )
            if count
            else (0, None, None)
            for count, total in zip(self.answered, self.total, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Means:
    """The mean scores of the unsur that were answered over one denominator: what an index weighs."""

    rated: tuple[bool, ...]
    sums: tuple[int, ...]
    denominator: int

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """The means of all unsur; nothing for one that nobody answered."""
        counts = [count or 1 for count in scores.answered]
        scale = counts[0] if min(counts) == max(counts) else lcm(*counts)
        sums = tuple(map(mul, scores.total, map(floordiv, [scale] * len(counts), counts)))
        return cls(tuple(map(bool, scores.answered)), sums, scale)

    def index(self, parts: Sequence[int], scheme: WeightScheme) -> Ratio | None:
        """Equals the domain's ikm; `parts` are the questionnaire's weights."""
        weights, common = _weights(tuple(parts), scheme)
        weighted = 25 * sum(map(mul, weights, self.sums))
        if all(self.rated):
            return Ratio(weighted, common * self.denominator)
        rated = sum(map(mul, weights, self.rated))
        return Ratio(weighted * sum(weights), common * self.denominator * rated) if rated else None


@lru_cache(maxsize=256)
def _weights(parts: tuple[int, ...], scheme: WeightScheme) -> tuple[tuple[int, ...], int]:
    """The weights of a scheme over one common denominator."""
    weights = [scheme.weight(part, sum(parts)) for part in parts]
    common = lcm(*(weight.denominator for weight in weights))
    return tuple(int(weight * common) for weight in weights), common


def interval(
    tally: Tally, exact: Ratio | None, total_weight: int, population: int | None
) -> tuple[Decimal, Decimal] | None:
    """Equals the domain's ci95; `exact` is the index with exact weights."""
    n = tally.complete
    if exact is None or n < _ENOUGH_FOR_VARIANCE:
        return None
    above, below = n * tally.total_sq - tally.total**2, n * n * (n - 1)
    if population is not None and population > n:
        above, below = above * (population - n), below * (population - 1)
    common = gcd(above, below)
    above, below = above // common, below // common
    # 1.96 x root x 25 / total weight, over the denominator `under`
    margin, under = 49 * isqrt(above * below * _ROOT * _ROOT), below * _ROOT * total_weight
    centre, width, denominator = (
        exact.numerator * under,
        margin * exact.denominator,
        exact.denominator * under,
    )
    low = max(centre - width, _LOWEST * denominator)
    high = min(centre + width, _HIGHEST * denominator)
    return Ratio(low, denominator).rounded(IKM_PLACES), Ratio(high, denominator).rounded(IKM_PLACES)


def index(tally: Tally, parts: Sequence[int], scheme: WeightScheme) -> Ratio | None:
    """Equals the domain's ikm; `parts` are the questionnaire's weights."""
    return Means.of(Scores.of(tally)).index(parts, scheme)

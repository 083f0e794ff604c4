"""The index (IKM) from a tally, by PermenPAN-RB 14/2017: 25 x Σ NRR_u x w_u, in exact arithmetic.

NRR_u (nilai rata-rata) is the sum of the scores of an unsur over the questionnaires that answered
it. Nothing is rounded between the steps; what is shown is rounded half-up once, at the end.

This is what production runs, and a refresh computes thousands of figures a second: so rational
numbers are pairs of integers. With `Fraction` throughout a summary took 17 times as long (1,730 µs
instead of 100); that version is the oracle of tests/unit/shared/domain/by_fractions.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import compress, repeat
from math import gcd, lcm
from operator import floordiv, mul
from typing import Final, NamedTuple, Self

from shared.domain.errors import TallyMismatch
from shared.domain.mutu import IKM_PLACES
from shared.domain.questionnaire import Questionnaire
from shared.domain.rounding import Ratio, half_up, quotient, root
from shared.domain.tally import Tally

NRR_PLACES: Final = 3
_SCALE: Final = 25
_LOWEST, _HIGHEST = 25, 100
_Z95: Final = Ratio(196, 100)
_ENOUGH_FOR_VARIANCE: Final = 2


@dataclass(frozen=True, slots=True)
class WeightScheme:
    """How the weight of an unsur is written: exact, or rounded half-up to so many decimals.

    The regulation prints 1/9 as 0,11, most spreadsheets use 0,111, many systems the exact ninth;
    the letter can differ, so every published figure names its scheme.
    """

    name: str
    places: int | None

    def weight(self, weight: int, total_weight: int) -> Fraction:
        """Return the weight in the index of an unsur with this part of the total weight."""
        exact = Fraction(weight, total_weight)
        return exact if self.places is None else Fraction(half_up(exact, self.places))


EXACT: Final = WeightScheme("exact", None)
SCHEMES: Final[Mapping[str, WeightScheme]] = {
    scheme.name: scheme for scheme in (EXACT, WeightScheme("0.111", 3), WeightScheme("0.11", 2))
}


class UnsurMean(NamedTuple):
    """How many answered an unsur, and rounded half-up its NRR (1..4) and NRR x 25 (25..100).

    NRR x 25 takes the letters of the index. Without answers there is neither.
    """

    answered: int
    nrr: Decimal | None
    ikm: Decimal | None


@dataclass(frozen=True, slots=True)
class TallyFigures:
    """What a tally says: the mean score (NRR) of every unsur, the index, its interval.

    Per unsur `answered` counts the answers and `score_sums` adds up their scores; `mean_sums` are
    the means over the one `denominator` (0 for an unsur that nobody answered), which every scheme
    weighs anew.
    """

    tally: Tally
    questionnaire: Questionnaire
    answered: tuple[int, ...]
    score_sums: tuple[int, ...]
    mean_sums: tuple[int, ...]
    denominator: int

    @classmethod
    def of(cls, tally: Tally, questionnaire: Questionnaire) -> Self:
        """Return the figures of a tally of this questionnaire."""
        if tally.size != questionnaire.size:
            raise TallyMismatch(
                f"tally of {tally.size}, questionnaire of {questionnaire.size} unsur"
            )
        answered, score_sums = tally.answered, tally.score_sums
        divisors = [count or 1 for count in answered]
        denominator = divisors[0] if min(divisors) == max(divisors) else lcm(*divisors)
        factors = map(floordiv, repeat(denominator), divisors)
        mean_sums = tuple(map(mul, score_sums, factors))
        return cls(tally, questionnaire, answered, score_sums, mean_sums, denominator)

    def unsur_means(self) -> list[UnsurMean]:
        """Return the mean of every unsur, in questionnaire order."""
        return [
            UnsurMean(
                answered,
                quotient(score_sum, answered, NRR_PLACES),
                quotient(_SCALE * score_sum, answered, IKM_PLACES),
            )
            if answered
            else UnsurMean(0, None, None)
            for answered, score_sum in zip(self.answered, self.score_sums, strict=True)
        ]

    def ikm(self, scheme: WeightScheme = EXACT) -> Ratio | None:
        """Return the index, unrounded (25..100 with exact weights); None without respondents.

        An unsur that nobody answered does not count as zero: the weights of the answered ones are
        scaled up so that they sum to what all weights sum to (a free service has no opinion on its
        price).
        """
        weights, weight_denominator = _common_weights(self.questionnaire.weights, scheme)
        weighted_sum = _SCALE * sum(map(mul, weights, self.mean_sums))
        if all(self.answered):
            return Ratio(weighted_sum, weight_denominator * self.denominator)
        answered_weight = sum(compress(weights, self.answered))
        if not answered_weight:
            return None
        return Ratio(
            weighted_sum * sum(weights), weight_denominator * self.denominator * answered_weight
        )

    def ci95(self, population: int | None) -> tuple[Decimal, Decimal] | None:
        """Return the 95 % confidence interval of the index with exact weights.

        Rounded half-up to two decimals. Index ± 1.96 x s/√n, s being the sample standard deviation
        of the respondents' own indices (25 x total / total weight) over the n complete
        questionnaires; with the finite population correction (N-n)/(N-1) when the population N is
        known and larger than n; cut off at 25 and 100. None with fewer than two complete
        questionnaires. Cochran, Sampling Techniques, 3rd ed., 2.6-2.8.
        """
        index = self.ikm(EXACT)
        if index is None or self.tally.complete < _ENOUGH_FOR_VARIANCE:
            return None
        deviation = root(_variance_of_mean(self.tally, population))
        margin = Ratio(
            _Z95.numerator * _SCALE * deviation.numerator,
            _Z95.denominator * self.questionnaire.total_weight * deviation.denominator,
        )
        denominator = index.denominator * margin.denominator
        centre = index.numerator * margin.denominator
        width = margin.numerator * index.denominator
        low = Ratio(max(centre - width, _LOWEST * denominator), denominator)
        high = Ratio(min(centre + width, _HIGHEST * denominator), denominator)
        return half_up(low, IKM_PLACES), half_up(high, IKM_PLACES)


def ikm(
    tally: Tally, questionnaire: Questionnaire, scheme: WeightScheme = EXACT
) -> Fraction | None:
    """Return the index of a tally, unrounded and reduced; None without respondents."""
    index = TallyFigures.of(tally, questionnaire).ikm(scheme)
    return None if index is None else index.fraction()


def mean_of(indices: Iterable[Fraction | None]) -> Fraction | None:
    """Return the unweighted mean of several units' indices, without those that have none."""
    present = [index for index in indices if index is not None]
    return sum(present, Fraction(0)) / len(present) if present else None


def _variance_of_mean(tally: Tally, population: int | None) -> Ratio:
    n = tally.complete
    numerator, denominator = n * tally.total_sq - tally.total**2, n * n * (n - 1)
    if population is not None and population > n:
        numerator, denominator = numerator * (population - n), denominator * (population - 1)
    common = gcd(numerator, denominator)
    return Ratio(numerator // common, denominator // common)


@lru_cache(maxsize=256)
def _common_weights(parts: tuple[int, ...], scheme: WeightScheme) -> tuple[tuple[int, ...], int]:
    """Return the weights in the index as integers over one common denominator."""
    weights = [scheme.weight(part, sum(parts)) for part in parts]
    denominator = lcm(*(weight.denominator for weight in weights))
    return tuple(int(weight * denominator) for weight in weights), denominator

"""The index (IKM) from a tally, by PermenPAN-RB 14/2017: 25 x Σ NRR_u x w_u, in exact rational arithmetic.

NRR_u (nilai rata-rata) is the sum of the scores of an unsur over the questionnaires that answered
it. Nothing is rounded between the steps; what is shown is rounded half-up once, at the end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.domain.errors import TallyMismatch
from shared.domain.mutu import IKM_PLACES, MUTU, Mutu, mutu
from shared.domain.questionnaire import Questionnaire
from shared.domain.rounding import half_up, root
from shared.domain.tally import Tally

__all__ = [
    "EXACT",
    "IKM_PLACES",
    "MUTU",
    "NRR_PLACES",
    "SCHEMES",
    "Mutu",
    "WeightScheme",
    "ci95",
    "half_up",
    "ikm",
    "mean_of",
    "mutu",
    "nrr",
    "unsur_ikm",
]

NRR_PLACES: Final = 3
_SCALE: Final = 25
_LOWEST, _HIGHEST = Fraction(25), Fraction(100)
_Z95: Final = Fraction(196, 100)
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


def nrr(tally: Tally, u: int) -> Fraction | None:
    """Return the mean score (1..4) of the unsur at this position; None when nobody answered it."""
    answered = tally.answered(u)
    return Fraction(tally.score_sum(u), answered) if answered else None


def unsur_ikm(tally: Tally, u: int) -> Fraction | None:
    """Return NRR x 25 (25..100), which takes the letters of the index; None when nobody answered the unsur."""
    mean = nrr(tally, u)
    return None if mean is None else mean * _SCALE


def ikm(
    tally: Tally, questionnaire: Questionnaire, scheme: WeightScheme = EXACT
) -> Fraction | None:
    """Return the index, unrounded (25..100 with exact weights); None without respondents.

    An unsur that nobody answered does not count as zero: the weights of the answered ones are
    scaled up so that they sum to what all weights sum to (a free service has no opinion on its
    price).
    """
    if tally.size != questionnaire.size:
        raise TallyMismatch(f"tally of {tally.size}, questionnaire of {questionnaire.size} unsur")
    total_weight = questionnaire.total_weight
    weights = [scheme.weight(weight, total_weight) for weight in questionnaire.weights]
    rated = [
        (mean, weight) for u, weight in enumerate(weights) if (mean := nrr(tally, u)) is not None
    ]
    answered_weight = sum(weight for _, weight in rated)
    if not answered_weight:
        return None
    weighted = sum((mean * weight for mean, weight in rated), Fraction(0))
    return _SCALE * weighted * sum(weights) / answered_weight


def mean_of(ikms: Iterable[Fraction | None]) -> Fraction | None:
    """Return the unweighted mean of the indices of several units, leaving out those without respondents."""
    known = [value for value in ikms if value is not None]
    return sum(known, Fraction(0)) / len(known) if known else None


def ci95(
    tally: Tally, questionnaire: Questionnaire, population: int | None
) -> tuple[Decimal, Decimal] | None:
    """Return the 95 % confidence interval of the index with exact weights, half-up to two decimals.

    Index ± 1.96 x s/√n, s being the sample standard deviation of the respondents' own indices (25 x
    total / total weight) over the n complete questionnaires; with the finite population correction
    (N-n)/(N-1) when the population N is known and larger than n; cut off at 25 and 100. None with
    fewer than two complete questionnaires. Cochran, Sampling Techniques, 3rd ed., 2.6-2.8.
    """
    index = ikm(tally, questionnaire)
    if index is None or tally.complete < _ENOUGH_FOR_VARIANCE:
        return None
    unit = Fraction(_SCALE, questionnaire.total_weight)
    margin = _Z95 * root(_variance_of_mean(tally, population)) * unit
    low, high = max(index - margin, _LOWEST), min(index + margin, _HIGHEST)
    return half_up(low, IKM_PLACES), half_up(high, IKM_PLACES)


def _variance_of_mean(tally: Tally, population: int | None) -> Fraction:
    n = tally.complete
    variance = Fraction(n * tally.total_sq - tally.total**2, n * (n - 1)) / n
    if population is None or population <= n:
        return variance
    return variance * Fraction(population - n, population - 1)

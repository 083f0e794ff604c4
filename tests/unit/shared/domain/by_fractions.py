"""The figures of shared.domain.ikm in rational numbers: the regulation in the fewest words."""

from decimal import Decimal
from fractions import Fraction

from shared.domain.ikm import EXACT, WeightScheme
from shared.domain.questionnaire import Questionnaire
from shared.domain.rounding import half_up, root
from shared.domain.tally import Tally


def nrr(tally: Tally, u: int) -> Fraction | None:
    answered = tally.answered[u]
    return Fraction(tally.score_sums[u], answered) if answered else None


def unsur_ikm(tally: Tally, u: int) -> Fraction | None:
    mean = nrr(tally, u)
    return None if mean is None else 25 * mean


def ikm(
    tally: Tally, questionnaire: Questionnaire, scheme: WeightScheme = EXACT
) -> Fraction | None:
    total_weight = questionnaire.total_weight
    weights = [scheme.weight(weight, total_weight) for weight in questionnaire.weights]
    means = [nrr(tally, u) for u in range(questionnaire.size)]
    rated = [
        (mean, weight) for mean, weight in zip(means, weights, strict=True) if mean is not None
    ]
    answered_weight = sum(weight for _, weight in rated)
    if not answered_weight:
        return None
    weighted = sum((mean * weight for mean, weight in rated), Fraction(0))
    return 25 * weighted * sum(weights) / answered_weight


def ci95(
    tally: Tally, questionnaire: Questionnaire, population: int | None
) -> tuple[Decimal, Decimal] | None:
    index, n = ikm(tally, questionnaire), tally.complete
    if index is None or n < 2:
        return None
    variance = Fraction(n * tally.total_sq - tally.total**2, n * (n - 1)) / n
    if population is not None and population > n:
        variance *= Fraction(population - n, population - 1)
    unit = Fraction(25, questionnaire.total_weight)
    margin = Fraction(196, 100) * root(variance).fraction() * unit
    low, high = max(index - margin, Fraction(25)), min(index + margin, Fraction(100))
    return half_up(low, 2), half_up(high, 2)

"""How many respondents a survey needs: Krejcie and Morgan's table, and its split over services.

Source: Krejcie & Morgan, Determining Sample Size for Research Activities, Educational and
Psychological Measurement 30 (1970); prescribed by PermenPAN-RB 14/2017 for the sample of a survey.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.domain.errors import InvalidPopulation
from shared.domain.rounding import half_up

_CHI_SQUARE: Final = Fraction(3841, 1000)  # one degree of freedom, 95 %
_P_TIMES_Q: Final = Fraction(1, 4)
_MARGIN: Final = Fraction(5, 100)


def krejcie_morgan(population: int) -> int:
    """Return the sample that a population (users of the service in a year) needs; 0 for nobody.

    Rounded half-up, which gives the published table; rounding up would differ in half of its rows.
    """
    return int(half_up(_sample(population), 0))


def required_per_layanan(users: Mapping[str, int]) -> dict[str, int]:
    """Split the sample of all users together over the services, in proportion to their users in a year.

    The parts are whole numbers that sum to the sample exactly (largest remainder, then the order of
    the services' codes); no service is asked for more respondents than it has users.
    """
    for count in users.values():
        _demand_count(count)
    population = sum(users.values())
    if not population:
        return dict.fromkeys(users, 0)
    sample = krejcie_morgan(population)
    parts = {code: divmod(sample * count, population) for code, count in users.items()}
    missing = sample - sum(whole for whole, _ in parts.values())
    most_cut_off = sorted(parts, key=lambda code: (-parts[code][1], code))[:missing]
    return {code: whole + (code in most_cut_off) for code, (whole, _) in parts.items()}


def _sample(population: int) -> Fraction:
    _demand_count(population)
    spread = _CHI_SQUARE * _P_TIMES_Q
    return spread * population / (_MARGIN**2 * (population - 1) + spread)


def _demand_count(count: int) -> None:
    if count < 0:
        raise InvalidPopulation(Decimal(count))

"""How many respondents a survey needs: Krejcie and Morgan's table.

Source: Krejcie & Morgan, Determining Sample Size for Research Activities, Educational and
Psychological Measurement 30 (1970); prescribed by PermenPAN-RB 14/2017 for the sample of a survey.
"""

from fractions import Fraction
from typing import Final

from shared.domain.errors import InvalidPopulation
from shared.domain.rounding import half_up

_CHI_SQUARE: Final = Fraction(3841, 1000)  # one degree of freedom, 95 %
_P_TIMES_Q: Final = Fraction(1, 4)
_MARGIN: Final = Fraction(5, 100)


def krejcie_morgan(population: int) -> int:
    """Return the sample that a population (users in a year) needs; 0 for nobody.

    Rounded half-up, which gives the published table; rounding up would differ in half of its rows.
    """
    if population < 0:
        raise InvalidPopulation(population)
    spread = _CHI_SQUARE * _P_TIMES_Q
    sample = spread * population / (_MARGIN**2 * (population - 1) + spread)
    return int(half_up(sample, 0))

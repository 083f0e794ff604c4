import statistics
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ikm import ikm
from shared.domain.questionnaire import SKM_2017
from shared.domain.rounding import half_up
from tests.unit.shared.domain.answers import (
    ci95,
    partial_rows,
    questionnaire_of,
    rows,
    tally_of_rows,
    weights,
)

ALL_1, ALL_2, ALL_3, ALL_4 = ([score] * 9 for score in (1, 2, 3, 4))


def width(interval: tuple[Decimal, Decimal] | None) -> Decimal:
    assert interval is not None
    return interval[1] - interval[0]


@given(st.lists(rows, min_size=2, max_size=12), weights, st.none() | st.integers(0, 40))
def test_the_interval_is_that_of_the_respondents_own_indices(
    responses: list[list[int]], weights: list[int], population: int | None
) -> None:
    n, total_weight = len(responses), sum(weights)
    own = [
        Fraction(25 * sum(w * s for w, s in zip(weights, row, strict=True)), total_weight)
        for row in responses
    ]
    variance = statistics.variance(own) / n
    if population is not None and population > n:
        variance *= Fraction(population - n, population - 1)
    margin = 1.96 * float(variance) ** 0.5
    expected = (
        max(25, float(statistics.mean(own)) - margin),
        min(100, float(statistics.mean(own)) + margin),
    )
    interval = ci95(tally_of_rows(responses, weights), questionnaire_of(weights), population)
    assert interval is not None
    assert [float(end) for end in interval] == pytest.approx(expected, abs=0.005_000_1)


def test_an_interval_computed_by_hand() -> None:
    # Indices 50 and 75: mean 62.5, s = 17.6777, s/√2 = 12.5, margin 24.5.
    assert ci95(tally_of_rows([ALL_2, ALL_3]), SKM_2017, None) == (
        Decimal("38.00"),
        Decimal("87.00"),
    )


def test_the_finite_population_correction_narrows_the_interval() -> None:
    # (10-2)/(10-1) = 8/9: margin 24.5 x √(8/9) = 23.0988
    assert ci95(tally_of_rows([ALL_2, ALL_3]), SKM_2017, 10) == (Decimal("39.40"), Decimal("85.60"))


@pytest.mark.parametrize("population", [0, 1, 2])
def test_a_population_no_larger_than_the_sample_corrects_nothing(population: int) -> None:
    tally = tally_of_rows([ALL_2, ALL_3])
    assert ci95(tally, SKM_2017, population) == ci95(tally, SKM_2017, None)


@pytest.mark.parametrize(
    "responses", [[], [ALL_4], [[4, None, *[4] * 7], ALL_4], [[None] * 9, [None] * 9]]
)
def test_fewer_than_two_complete_questionnaires_have_no_interval(
    responses: list[list[int | None]],
) -> None:
    assert ci95(tally_of_rows(responses), SKM_2017, None) is None


def test_the_interval_never_leaves_the_scale() -> None:
    assert ci95(tally_of_rows([ALL_1, ALL_4]), SKM_2017, None) == (
        Decimal("25.00"),
        Decimal("100.00"),
    )


def test_respondents_of_one_mind_leave_no_doubt() -> None:
    assert ci95(tally_of_rows([ALL_4] * 3), SKM_2017, 1000) == (
        Decimal("100.00"),
        Decimal("100.00"),
    )


@given(st.lists(partial_rows, max_size=12), st.none() | st.integers(0, 1000))
def test_the_interval_always_holds_the_published_index(
    responses: list[list[int | None]], population: int | None
) -> None:
    tally = tally_of_rows(responses)
    interval, index = ci95(tally, SKM_2017, population), ikm(tally, SKM_2017)
    assert interval is None or (
        index is not None and interval[0] <= half_up(index, 2) <= interval[1]
    )


@given(st.lists(rows, min_size=2, max_size=12), st.integers(13, 10_000))
def test_a_known_population_never_widens_the_interval(
    responses: list[list[int]], population: int
) -> None:
    tally = tally_of_rows(responses)
    assert width(ci95(tally, SKM_2017, population)) <= width(ci95(tally, SKM_2017, None))

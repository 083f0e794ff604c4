from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import TallyMismatch
from shared.domain.ikm import EXACT, SCHEMES, ikm, mean_of
from shared.domain.mutu import mutu
from shared.domain.questionnaire import SKM_2017
from shared.domain.rounding import half_up
from shared.domain.tally import Tally
from tests.builders import tally_of
from tests.unit.shared.domain.answers import (
    columns_of_sum,
    nrr,
    partial_rows,
    questionnaire_of,
    rows,
    tally_of_columns,
    tally_of_rows,
    unsur_ikm,
    weights,
)


def published(tally: Tally, scheme: str = "exact") -> Decimal:
    value = ikm(tally, SKM_2017, SCHEMES[scheme])
    assert value is not None
    return half_up(value, 2)


@pytest.mark.parametrize(
    ("row", "scheme", "expected"),
    [
        ("443444433", "exact", "91.67"),
        ("444444444", "exact", "100.00"),
        ("444444444", "0.111", "99.90"),
        ("444444444", "0.11", "99.00"),
        ("111111111", "exact", "25.00"),
        ("111111111", "0.111", "24.98"),
        ("111111111", "0.11", "24.75"),
    ],
)
def test_one_respondent_has_the_index_of_the_regulations_formula(
    row: str, scheme: str, expected: str
) -> None:
    assert str(published(tally_of_rows([[int(score) for score in row]]), scheme)) == expected


@pytest.mark.parametrize(
    ("n", "total", "index", "letter"),
    [
        (19, 604, "88.30", "B"),
        (43, 1367, "88.31", "A"),
        (26, 717, "76.60", "C"),
        (19, 524, "76.61", "B"),
        (5, 117, "65.00", "C"),
    ],
)
def test_figures_in_the_holes_of_the_printed_table_get_their_letter(
    n: int, total: int, index: str, letter: str
) -> None:
    value = published(tally_of_columns(columns_of_sum(n, total)))
    assert (str(value), mutu(value).letter) == (index, letter)


@pytest.mark.parametrize(
    ("total", "tie", "index", "letter"),
    [
        (158_949, "88.305", "88.31", "A"),
        (137_889, "76.605", "76.61", "B"),
        (116_991, "64.995", "65.00", "C"),
    ],
)
def test_an_exact_tie_is_rounded_up_and_decides_the_letter(
    total: int, tie: str, index: str, letter: str
) -> None:
    tally = tally_of_columns(columns_of_sum(5000, total))
    assert ikm(tally, SKM_2017) == Fraction(tie)
    value = published(tally)
    assert (str(value), mutu(value).letter) == (index, letter)


def test_binary_floats_and_half_even_rounding_get_the_same_tie_wrong() -> None:
    tally = tally_of_columns(columns_of_sum(5000, 158_949))
    floating = sum(tally.score_sums[u] / 5000 * (1 / 9) * 25 for u in range(9))
    assert f"{floating:.2f}" == "88.30"
    assert str(Decimal("88.305").quantize(Decimal("0.01"))) == "88.30"
    assert str(published(tally)) == "88.31"


@given(st.lists(rows, min_size=1, max_size=8))
def test_the_index_is_the_mean_of_the_respondents_own_indices(responses: list[list[int]]) -> None:
    own = [ikm(tally_of_rows([row]), SKM_2017) for row in responses]
    assert ikm(tally_of_rows(responses), SKM_2017) == mean_of(own)


@given(st.lists(partial_rows, max_size=8), weights)
def test_the_index_lies_between_25_and_100_or_is_none(
    responses: list[list[int | None]], weights: list[int]
) -> None:
    tally = tally_of_rows(responses, weights)
    value = ikm(tally, questionnaire_of(weights))
    anybody = any(tally.answered)
    assert (value is not None) == anybody
    assert value is None or 25 <= value <= 100


@given(st.lists(partial_rows, max_size=8))
def test_the_printed_weights_scale_the_index_by_99_and_99_9_percent(
    responses: list[list[int | None]],
) -> None:
    tally = tally_of_rows(responses)
    exact = ikm(tally, SKM_2017)
    for name, factor in (("0.111", Fraction(999, 1000)), ("0.11", Fraction(99, 100))):
        assert ikm(tally, SKM_2017, SCHEMES[name]) == (None if exact is None else exact * factor)


def test_nobody_has_no_index_and_it_is_not_zero() -> None:
    assert ikm(Tally.zero(9), SKM_2017) is None
    assert nrr(Tally.zero(9), 0) is None
    assert unsur_ikm(Tally.zero(9), 0) is None


def test_a_missing_answer_is_left_out_of_its_unsurs_denominator() -> None:
    tally = tally_of_rows([[4, None, *[3] * 7], [2, 1, *[3] * 7]])
    assert nrr(tally, 0) == 3
    assert nrr(tally, 1) == 1
    assert unsur_ikm(tally, 0) == 75
    assert ikm(tally, SKM_2017) == Fraction(25 * (3 + 1 + 21), 9)


@pytest.mark.parametrize(("scheme", "expected"), [("exact", "100.00"), ("0.11", "99.00")])
def test_an_unsur_that_nobody_answered_does_not_lower_the_index(scheme: str, expected: str) -> None:
    assert str(published(tally_of_rows([[4, 4, 4, None, 4, 4, 4, 4, 4]]), scheme)) == expected


def test_weights_are_parts_of_their_sum() -> None:
    questionnaire = questionnaire_of([1, 3])
    tally = tally_of([1, 4], questionnaire.weights)
    assert ikm(tally, questionnaire) == 25 * (Fraction(1, 4) + 4 * Fraction(3, 4))


def test_the_schemes_are_the_three_weights_in_use() -> None:
    assert {name: scheme.weight(1, 9) for name, scheme in SCHEMES.items()} == {
        "exact": Fraction(1, 9),
        "0.111": Fraction(111, 1000),
        "0.11": Fraction(11, 100),
    }
    assert SCHEMES["exact"] is EXACT


def test_a_tally_of_another_questionnaire_has_no_index_here() -> None:
    with pytest.raises(TallyMismatch):
        ikm(Tally.zero(14), SKM_2017)


def test_the_mean_of_units_leaves_out_those_without_respondents() -> None:
    assert mean_of([Fraction(80), None, Fraction(91)]) == Fraction(171, 2)
    assert mean_of([None]) is None
    assert mean_of([]) is None

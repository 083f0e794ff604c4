import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import TallyMismatch
from shared.domain.tally import Tally
from tests.builders import tally_of
from tests.unit.shared.domain.answers import (
    partial_rows,
    rows,
    tallies,
    tally_of_rows,
    weights,
)

ZERO = Tally.zero(9)


def test_one_questionnaire_is_counted_score_by_score() -> None:
    assert tally_of([4, 1, None], (1, 1, 1)) == Tally(
        1, (0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0), 0, 0, 0
    )


def test_the_total_of_a_complete_questionnaire_is_weighted() -> None:
    tally = tally_of([4, 3, 2], (1, 2, 5))
    assert (tally.complete, tally.total, tally.total_sq) == (1, 20, 400)


def test_an_incomplete_questionnaire_counts_as_respondent_but_not_in_the_totals() -> None:
    tally = tally_of([4, None, 2], (1, 1, 1)) + tally_of([1, 1, 1], (1, 1, 1))
    assert (tally.n, tally.complete, tally.total, tally.total_sq) == (2, 1, 3, 9)
    assert tally.answered == (2, 1, 2)
    assert tally.score_sums == (5, 1, 3)


@given(tallies, tallies, tallies)
def test_merging_is_associative(a: Tally, b: Tally, c: Tally) -> None:
    assert (a + b) + c == a + (b + c)


@given(tallies, tallies)
def test_merging_is_commutative(a: Tally, b: Tally) -> None:
    assert a + b == b + a


@given(tallies)
def test_the_empty_tally_changes_nothing(a: Tally) -> None:
    assert a + ZERO == ZERO + a == a


@given(st.lists(partial_rows, max_size=12), st.randoms(use_true_random=False), st.integers(0, 12))
def test_any_order_and_any_cut_into_batches_gives_the_same_integers(
    responses: list[list[int | None]], chance: random.Random, cut: int
) -> None:
    mixed = list(responses)
    chance.shuffle(mixed)
    assert tally_of_rows(mixed[:cut]) + tally_of_rows(mixed[cut:]) == tally_of_rows(responses)


@given(st.lists(partial_rows, max_size=12))
def test_the_counts_say_who_answered_what(responses: list[list[int | None]]) -> None:
    tally = tally_of_rows(responses)
    assert tally.n == len(responses)
    assert tally.complete == sum(None not in row for row in responses)
    for u in range(tally.size):
        answered = [score for row in responses if (score := row[u]) is not None]
        assert tally.answered[u] == len(answered)
        assert tally.score_sums[u] == sum(answered)


@given(st.lists(rows, max_size=12), weights)
def test_the_totals_are_those_of_the_respondents(
    responses: list[list[int]], weights: list[int]
) -> None:
    totals = [
        sum(weight * score for weight, score in zip(weights, row, strict=True)) for row in responses
    ]
    tally = tally_of_rows(responses, weights)
    assert (tally.total, tally.total_sq) == (sum(totals), sum(total**2 for total in totals))
    assert tally.total == sum(weight * tally.score_sums[u] for u, weight in enumerate(weights))


def test_questionnaires_of_different_sizes_do_not_combine() -> None:
    with pytest.raises(TallyMismatch):
        ZERO + Tally.zero(14)


def test_a_tally_of_nothing_has_answers_to_nothing() -> None:
    assert (ZERO.size, ZERO.n, ZERO.complete) == (9, 0, 0)
    assert ZERO.answered == ZERO.score_sums == (0,) * 9


@given(tallies, tallies)
def test_what_was_added_can_be_taken_away_and_was_a_part(a: Tally, b: Tally) -> None:
    assert a + b - b == a
    assert (a + b).includes(b)
    assert b.includes(a + b) == (a == ZERO)

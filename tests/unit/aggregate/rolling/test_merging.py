"""The merge of respondents who answered different questionnaires."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given

from services.aggregate.rolling.merging import merge
from shared.domain.errors import TallyMismatch
from shared.domain.ikm import ikm
from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from shared.domain.tally import Tally
from tests.unit.aggregate.rolling.tallies import OPTIONS, cases, tally
from tests.unit.shared.domain import by_fractions


def questionnaire(code: str, **weights: int) -> Questionnaire:
    return Questionnaire(
        code,
        code,
        tuple(Unsur(k.upper(), k, k, "?", OPTIONS, False, w) for k, w in weights.items()),
    )


def test_versions_with_the_same_unsur_and_weights_merge_into_the_sum() -> None:
    newer = replace(SKM_2017, code="skm-2017b")
    merged, total = merge(
        [(SKM_2017, tally(SKM_2017, "443444433")), (newer, tally(newer, "333333333", "222222222"))]
    )
    assert merged.code == "skm-2017b"
    assert merged.weights == SKM_2017.weights
    assert total == tally(SKM_2017, "443444433", "333333333", "222222222")


def test_unsur_are_merged_by_key_and_not_by_position() -> None:
    forward, backward = questionnaire("one", a=1, b=1), questionnaire("other", b=1, a=1)
    merged, total = merge(
        [(forward, tally(forward, "41", "41")), (backward, tally(backward, "14"))]
    )
    assert [unsur.key for unsur in merged.unsur] == ["a", "b"]
    assert by_fractions.nrr(total, 0) == 4
    assert by_fractions.nrr(total, 1) == 1


def test_an_unsur_that_only_others_were_asked_is_kept_with_its_own_answers() -> None:
    short, long = questionnaire("short", a=1, b=1), questionnaire("long", a=1, b=1, c=2)
    merged, total = merge([(short, tally(short, "44", "44")), (long, tally(long, "221"))])
    assert [unsur.key for unsur in merged.unsur] == ["a", "b", "c"]
    assert total.answered == (3, 3, 1)
    # 25 x (10/3 x 1/4 + 10/3 x 1/4 + 1 x 2/4)
    assert ikm(total, merged) == Fraction(25) * (Fraction(10, 3) * Fraction(1, 2) + Fraction(1, 2))


def test_the_spread_of_merged_respondents_is_that_of_their_own_indices() -> None:
    short, long = questionnaire("short", a=1, b=1), questionnaire("long", a=1, b=1, c=1)
    merged, total = merge([(short, tally(short, "44", "22")), (long, tally(long, "333"))])
    # 100, 50 and 75 whatever the questionnaire: mean square distance 25 squared
    assert Fraction(total.total, merged.total_weight) * 25 == 225
    assert Fraction(total.total_sq, merged.total_weight**2) * 625 == 100**2 + 50**2 + 75**2


def test_two_unsur_under_one_code_stay_apart() -> None:
    first = Questionnaire("one", "one", (Unsur("U1", "a", "A", "?", OPTIONS),))
    second = Questionnaire("other", "other", (Unsur("U1", "b", "B", "?", OPTIONS),))
    merged, _ = merge([(first, tally(first, "4")), (second, tally(second, "1"))])
    assert [(unsur.code, unsur.key) for unsur in merged.unsur] == [("U1", "a"), ("b", "b")]


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(TallyMismatch):
        merge([])


@given(cases())
def test_merging_with_nobody_changes_nothing(case: tuple[Questionnaire, Tally]) -> None:
    used, total = case
    twin = replace(used, code="z")
    merged, together = merge([(used, total), (twin, Tally.zero(used.size))])
    assert (merged.weights, together) == (used.weights, total)

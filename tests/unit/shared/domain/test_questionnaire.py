import csv
from typing import cast

import pytest

from shared.domain.errors import InvalidQuestionnaire
from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from tests.unit.shared.domain.answers import GOLDEN, questionnaire_of

OPTIONS = ("a", "b", "c", "d")


def test_the_questionnaire_of_2017_is_the_regulations_text_word_for_word() -> None:
    with (GOLDEN / "questionnaire-2017.csv").open(encoding="utf-8", newline="") as file:
        printed = list(csv.reader(file))[1:]
    assert [[u.code, u.key, u.name, u.question, *u.options] for u in SKM_2017.unsur] == printed


def test_the_questionnaire_of_2017_weighs_nine_required_unsur_alike() -> None:
    assert SKM_2017.code == "skm-2017"
    assert SKM_2017.regulation == "permenpan-14-2017"
    assert SKM_2017.size == SKM_2017.total_weight == 9
    assert SKM_2017.weights == (1,) * 9
    assert all(u.required for u in SKM_2017.unsur)


def test_sarana_is_eighth_and_pengaduan_ninth_as_on_the_form() -> None:
    assert [u.key for u in SKM_2017.unsur[7:]] == ["sarana", "pengaduan"]


def test_weights_sum_to_the_total_weight() -> None:
    questionnaire = questionnaire_of([2, 1, 3])
    assert questionnaire.weights == (2, 1, 3)
    assert questionnaire.total_weight == 6


def test_a_questionnaire_is_a_value() -> None:
    assert questionnaire_of([1, 2]) == questionnaire_of([1, 2])
    assert hash(questionnaire_of([1, 2])) == hash(questionnaire_of([1, 2]))
    assert questionnaire_of([1, 2]) != questionnaire_of([2, 1])


def test_a_questionnaire_without_unsur_is_refused() -> None:
    with pytest.raises(InvalidQuestionnaire, match="empty has no unsur"):
        Questionnaire("empty", "Empty", ())


@pytest.mark.parametrize(
    "twin",
    [Unsur("U1", "other", "Other", "?", OPTIONS), Unsur("U2", "first", "Other", "?", OPTIONS)],
)
def test_a_questionnaire_that_names_an_unsur_twice_is_refused(twin: Unsur) -> None:
    with pytest.raises(InvalidQuestionnaire, match="twice"):
        Questionnaire("q", "Q", (Unsur("U1", "first", "First", "?", OPTIONS), twin))


@pytest.mark.parametrize("weight", [0, -1])
def test_an_unsur_without_weight_is_refused(weight: int) -> None:
    with pytest.raises(InvalidQuestionnaire, match="weight"):
        Unsur("U1", "key", "Name", "?", OPTIONS, weight=weight)


@pytest.mark.parametrize(("code", "key"), [("", "key"), ("U1", "")])
def test_an_unsur_without_a_code_or_key_is_refused(code: str, key: str) -> None:
    with pytest.raises(InvalidQuestionnaire, match="code and a key"):
        Unsur(code, key, "Name", "?", OPTIONS)


def test_an_unsur_without_four_options_is_refused() -> None:
    three = cast("tuple[str, str, str, str]", OPTIONS[:3])
    with pytest.raises(InvalidQuestionnaire, match="4 options"):
        Unsur("U1", "key", "Name", "?", three)


def test_the_built_in_questionnaire_has_all_its_texts_in_english() -> None:
    for unsur in SKM_2017.unsur:
        assert unsur.name_en
        assert unsur.question_en
        assert unsur.options_en
        assert len(set(unsur.options_en)) == len(unsur.options)

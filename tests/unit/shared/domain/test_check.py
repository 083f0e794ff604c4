import pytest

from shared.domain.questionnaire import SKM_2017
from shared.domain.submission.check import violations
from shared.domain.violation import Violation
from tests.unit.shared.domain.answers import check, questionnaire_of

ANSWERS = {f"U{i}": 3 for i in range(1, 10)}
VALID = {
    "id": "loket3-000123",
    "opd": "disdukcapil",
    "layanan": "ktp-el",
    "questionnaire": "skm-2017",
    "submitted_at": "2026-05-04T09:12:00+07:00",
    "answers": ANSWERS,
    "respondent": {"sex": "P", "age": 34, "education": "S1", "occupation": "SWASTA"},
    "comment": "Cepat dan ramah",
}


def violated(document: object) -> list[tuple[str, str]]:
    return [(violation.pointer, violation.code) for violation in check(document, SKM_2017)]


def test_a_full_submission_has_no_violation() -> None:
    assert check(VALID, SKM_2017) == []


def test_opd_layanan_and_answers_are_enough() -> None:
    assert violated({"opd": "a", "layanan": "b", "answers": ANSWERS}) == []


@pytest.mark.parametrize("name", ["id", "questionnaire", "submitted_at", "respondent", "comment"])
def test_null_is_the_same_as_absent_for_an_optional_field(name: str) -> None:
    assert violated({**VALID, name: None}) == []


@pytest.mark.parametrize("name", ["sex", "age", "education", "occupation"])
def test_null_is_the_same_as_absent_in_the_profile(name: str) -> None:
    assert violated({**VALID, "respondent": {name: None}}) == []


@pytest.mark.parametrize("name", ["opd", "layanan", "answers"])
def test_a_required_field_that_is_absent_or_null_is_named(name: str) -> None:
    absent = {key: value for key, value in VALID.items() if key != name}
    assert violated(absent) == [(f"/{name}", "required")]
    assert violated({**VALID, name: None}) == [(f"/{name}", "required")]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("id", "", "length"),
        ("id", "x" * 129, "length"),
        ("id", 7, "type"),
        ("id", "a\0b", "character"),
        ("opd", "", "length"),
        ("opd", "x" * 65, "length"),
        ("opd", ["disdukcapil"], "type"),
        ("layanan", True, "type"),
        ("questionnaire", "", "length"),
        ("submitted_at", "2026-05-04T09:12:00", "datetime"),
        ("submitted_at", "kemarin", "datetime"),
        ("submitted_at", 1777860720, "type"),
        ("respondent", [], "type"),
        ("respondent", "L", "type"),
        ("comment", "x" * 2001, "length"),
        ("comment", "a\0", "character"),
        ("comment", "\ud800", "character"),
        ("comment", {}, "type"),
        ("answers", [3] * 9, "type"),
        ("answers", "333333333", "type"),
    ],
)
def test_a_bad_field_is_named_with_what_is_wrong(name: str, value: object, code: str) -> None:
    assert violated({**VALID, name: value}) == [(f"/{name}", code)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "x" * 128),
        ("opd", "x" * 64),
        ("comment", ""),
        ("comment", "é" * 2000),
        ("id", "😀" * 128),
    ],
)
def test_lengths_are_counted_in_characters_and_include_their_limits(name: str, value: str) -> None:
    assert violated({**VALID, name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("sex", "M", "choice"),
        ("sex", "", "choice"),
        ("sex", 1, "type"),
        ("age", -1, "range"),
        ("age", 121, "range"),
        ("age", 34.0, "type"),
        ("age", "34", "type"),
        ("age", False, "type"),
        ("education", "s1", "choice"),
        ("education", ["S1"], "type"),
        ("occupation", "Swasta", "choice"),
        ("nik", "2172000000000000", "unknown"),
    ],
)
def test_a_bad_profile_field_is_named_with_what_is_wrong(
    name: str, value: object, code: str
) -> None:
    assert violated({**VALID, "respondent": {name: value}}) == [(f"/respondent/{name}", code)]


@pytest.mark.parametrize("age", [0, 120])
def test_the_limits_of_an_age_are_ages(age: int) -> None:
    assert violated({**VALID, "respondent": {"age": age}}) == []


@pytest.mark.parametrize(
    ("score", "code"),
    [
        (0, "range"),
        (5, "range"),
        (-1, "range"),
        pytest.param(10**5000, "range", id="an integer too long to print"),
        (4.0, "type"),
        (float("nan"), "type"),
        (True, "type"),
        ("4", "type"),
        ([], "type"),
        (None, "required"),
    ],
)
def test_an_answer_is_an_integer_from_1_to_4(score: object, code: str) -> None:
    assert violated({**VALID, "answers": {**ANSWERS, "U5": score}}) == [("/answers/U5", code)]


def test_an_answer_to_an_unsur_of_another_questionnaire_is_unknown() -> None:
    assert violated({**VALID, "answers": {**ANSWERS, "U10": 4}}) == [("/answers/U10", "unknown")]


def test_unsur_are_named_by_code_and_case_matters() -> None:
    assert violated({**VALID, "answers": {**ANSWERS, "u1": 4}}) == [("/answers/u1", "unknown")]


def test_an_unsur_that_is_not_required_may_be_left_out_or_null() -> None:
    optional = questionnaire_of([1, 1], required=False)
    for answers in ({}, {"U1": None}, {"U1": 4, "U2": None}):
        assert check({"opd": "a", "layanan": "b", "answers": answers}, optional) == []


def test_every_violation_is_reported_in_the_order_of_the_fields() -> None:
    document = {
        "nama": "x",
        "opd": "",
        "respondent": {"age": 200, "sex": "X", "nik": 1},
        "answers": {**ANSWERS, "U2": 9, "U7": None, "U0": 1},
    }
    assert violated(document) == [
        ("/opd", "length"),
        ("/layanan", "required"),
        ("/respondent/sex", "choice"),
        ("/respondent/age", "range"),
        ("/respondent/nik", "unknown"),
        ("/answers/U2", "range"),
        ("/answers/U7", "required"),
        ("/answers/U0", "unknown"),
        ("/nama", "unknown"),
    ]


def test_a_text_can_be_wrong_in_two_ways_at_once() -> None:
    assert violated({**VALID, "id": "\0" * 129}) == [("/id", "length"), ("/id", "character")]


@pytest.mark.parametrize("document", [None, True, 3, 4.5, "text", [], [VALID]])
def test_only_an_object_is_a_submission(document: object) -> None:
    assert check(document, SKM_2017) == [Violation("", "type", "must be an object")]


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("a/b", "/a~1b"),
        ("a~b", "/a~0b"),
        ("~1", "/~01"),
        ("", "/"),
        ("nama lengkap", "/nama lengkap"),
        ("a\0\ud800", "/a��"),
    ],
)
def test_pointers_are_escaped_as_rfc_6901_says_and_can_always_be_stored(
    name: str, pointer: str
) -> None:
    assert violated({**VALID, name: 1}) == [(pointer, "unknown")]


def test_the_detail_says_in_words_what_is_wanted() -> None:
    document = {
        **VALID,
        "id": "",
        "submitted_at": "x",
        "respondent": {"sex": "X"},
        "answers": {**ANSWERS, "U1": 5},
    }
    assert [violation.detail for violation in check(document, SKM_2017)] == [
        "must have 1 to 128 characters",
        "must be an RFC 3339 time with an offset, in the years 1900 to 9998",
        "must be one of L, P",
        "must be between 1 and 4",
    ]


def test_a_caller_may_stop_after_the_first_of_many_violations() -> None:
    many = {**VALID, **{f"x{i}": 1 for i in range(100_000)}}
    assert next(violations(many, SKM_2017)) == Violation("/x0", "unknown", "is not a known field")


@pytest.mark.parametrize("answers", [{}, {"X": 4}, {"X": None, "": 1}])
def test_answers_to_an_unknown_questionnaire_are_any_scores_or_nulls(answers: object) -> None:
    assert check({**VALID, "answers": answers}, None) == []


@pytest.mark.parametrize(
    ("answers", "pointer", "code"),
    [
        ({"X": 1.0}, "/answers/X", "type"),
        ({"X": 5}, "/answers/X", "range"),
        ({"X": -(10**30)}, "/answers/X", "range"),
        ({"X": True}, "/answers/X", "type"),
        ({"X/Y": "4"}, "/answers/X~1Y", "type"),
        ({"\0": 4}, "/answers/�", "character"),
        ({"\udfff": 4}, "/answers/�", "character"),
        ([4], "/answers", "type"),
        (None, "/answers", "required"),
    ],
)
def test_what_no_questionnaire_could_mean_is_refused_without_knowing_it(
    answers: object, pointer: str, code: str
) -> None:
    violated = check({**VALID, "answers": answers}, None)
    assert [(violation.pointer, violation.code) for violation in violated] == [(pointer, code)]


def test_the_other_fields_are_checked_without_knowing_the_questionnaire() -> None:
    assert [v.pointer for v in check({**VALID, "opd": "", "x": 1}, None)] == ["/opd", "/x"]

"""The wire: which questionnaire judges a body, how answers become digits, and its lists."""

import json
import typing
from datetime import UTC, datetime

import msgspec
import pytest

from shared import wire
from shared.domain.questionnaire import SKM_2017
from shared.domain.respondent import EDUCATION, OCCUPATION, SEX, profile_of
from shared.domain.violation import Violation
from shared.wire import Submission, SubmissionDecoder
from tests.builders import questionnaire, registry, submission, submission_json

DECODER = SubmissionDecoder(registry())


def read(**changes: object) -> Submission:
    submission = DECODER.decode(submission_json(**changes))
    assert isinstance(submission, Submission), submission
    return submission


def scores(**changes: object) -> str:
    return digits(read(**changes))


def digits(submission: Submission, by: SubmissionDecoder = DECODER) -> str:
    """The answers in questionnaire order; "-": none."""
    return "".join(
        str(score or "-")
        for score in msgspec.structs.astuple(
            answers_decoder(submission, by).decode(submission.answers)
        )
    )


def answers_decoder(submission: Submission, by: SubmissionDecoder = DECODER) -> wire.AnswersDecoder:
    destination = by.destination(submission.opd, submission.layanan, submission.questionnaire)
    assert destination is not None
    return destination.answers_decoder


def refused(body: bytes, by: SubmissionDecoder = DECODER) -> list[Violation]:
    violations = by.decode(body)
    assert isinstance(violations, list), violations
    assert violations
    return violations


@pytest.mark.parametrize(
    ("spelled", "listed"),
    [(wire.Sex, SEX), (wire.Education, EDUCATION), (wire.Occupation, OCCUPATION)],
)
def test_the_lists_that_are_spelled_out_are_those_of_the_domain(
    spelled: object, listed: tuple[str, ...]
) -> None:
    assert typing.get_args(spelled) == listed


def test_a_submission_is_read_whole() -> None:
    decoded = read()
    assert (decoded.id, decoded.opd, decoded.layanan) == ("loket3-000123", "disdukcapil", "ktp-el")
    assert digits(decoded) == "434434433"
    assert decoded.submitted_at == datetime(2026, 5, 4, 2, 12, tzinfo=UTC)
    assert decoded.respondent is not None
    assert profile_of(decoded.respondent.profile()) == ("P", 34, "S1", "SWASTA")
    assert decoded.comment == "Cepat dan ramah"
    assert answers_decoder(decoded).questionnaire == SKM_2017


def test_null_is_absent() -> None:
    fields = ("id", "submitted_at", "comment", "questionnaire")
    decoded = read(**dict.fromkeys(fields), respondent=None)
    assert [getattr(decoded, field) for field in fields] == [None] * len(fields)
    assert decoded.respondent is read(respondent=...).respondent is None


def test_scores_follow_the_questionnaire_and_not_the_body() -> None:
    backwards = dict(reversed(list(submission()["answers"].items())))
    assert scores(answers=backwards) == "434434433"


def test_a_layanan_is_answered_by_its_own_questionnaire() -> None:
    own = {"opd": "dinkes", "layanan": "lab"}
    assert scores(**own, answers={"1-a": 2, "U3": 4}) == "2-4"
    assert scores(**own, answers={"1-a": 2, "class": None, "U3": 4}) == "2-4"
    assert scores(**own, answers={"U3": 1, "class": 3, "1-a": 2}) == "231"
    assert [v.pointer for v in refused(submission_json(**own))] == [
        "/answers/1-a",
        *(f"/answers/{code}" for code in ("U1", "U2", "U4", "U5", "U6", "U7", "U8", "U9")),
    ]


def test_a_submission_may_name_its_questionnaire() -> None:
    assert scores(questionnaire="singkat", answers={"1-a": 1, "U3": 1}) == "1-1"
    assert scores(questionnaire=SKM_2017.code, opd="dinkes", layanan="lab") == "434434433"
    assert refused(submission_json(questionnaire="singkat"))


def test_answers_to_a_questionnaire_that_is_not_known_yet_are_kept() -> None:
    decoded = read(questionnaire="skm-2030", answers={"U10": 4, "x": None})
    assert bytes(decoded.answers) == b'{"U10": 4, "x": null}'
    assert answers_decoder(decoded).questionnaire is None
    assert answers_decoder(decoded).decode(decoded.answers) == {"U10": 4, "x": None}
    assert [
        v.pointer for v in refused(submission_json(questionnaire="skm-2030", answers={"U1": "4"}))
    ] == ["/answers/U1"]


def test_a_layanan_of_a_questionnaire_that_is_not_here_is_not_judged_by_another() -> None:
    without_lab = registry(questionnaires={SKM_2017.code: SKM_2017})
    decoded = SubmissionDecoder(without_lab).decode(
        submission_json(opd="dinkes", layanan="lab", answers={"lain": 4})
    )
    assert isinstance(decoded, Submission)


@pytest.mark.parametrize(
    "codes", [("1-a", "class", "def"), ("a", "A"), ("unsur_1", "unsur_0"), ("__init__", "id")]
)
def test_the_codes_of_unsur_need_not_be_names_of_python(codes: tuple[str, ...]) -> None:
    odd = questionnaire("aneh", *codes)
    given = {code: 1 + index % 4 for index, code in enumerate(codes)}
    by = SubmissionDecoder(registry(questionnaires={"aneh": odd}))
    decoded = by.decode(submission_json(questionnaire="aneh", answers=given))
    assert isinstance(decoded, Submission)
    assert digits(decoded, by) == "".join(map(str, given.values()))


@pytest.mark.parametrize("size", [1, 2, 40])
def test_a_questionnaire_may_have_any_size(size: int) -> None:
    codes = [f"U{index}" for index in range(size)]
    by = SubmissionDecoder(registry(questionnaires={"lain": questionnaire("lain", *codes)}))
    decoded = by.decode(submission_json(questionnaire="lain", answers=dict.fromkeys(codes, 4)))
    assert isinstance(decoded, Submission)
    assert digits(decoded, by) == "4" * size


def test_every_violation_is_named() -> None:
    wrong = {"U1": 5, "U2": "3", "U3": None, "nama": 1}
    body = json.dumps(
        {"answers": wrong, "respondent": {"sex": "X", "age": 121}, "comment": "\0", "extra": 1}
    ).encode()
    assert {v.pointer for v in refused(body)} == {
        "/opd",
        "/layanan",
        *(f"/answers/U{n}" for n in range(1, 10)),
        "/answers/nama",
        "/respondent/sex",
        "/respondent/age",
        "/comment",
        "/extra",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nul",
        b'{"opd":"a"} {}',
        b"\xef\xbb\xbf{}",
        b'{"\xff":1}',
        b'{"opd":"\xed\xa0\x80"}',
        b'{"opd":"\\ud800"}',
        b'{"opd":1e999}',
        b'{"opd":1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        submission_json().decode().encode("utf-16"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_is_one_violation_of_the_whole(body: bytes) -> None:
    assert [(v.pointer, v.code) for v in refused(body)] == [("", "malformed-json")]


def test_a_repeated_member_is_no_way_around_the_check() -> None:
    body = submission_json()
    assert isinstance(DECODER.decode(body[:-1] + b',"opd":"dinkes"}'), Submission)
    assert refused(body[:-1] + b',"opd":""}')
    assert refused(b'{"opd":5,' + body[1:])


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert read(comment="\\u0000").comment == "\\u0000"
    assert [v.pointer for v in refused(submission_json(comment="a\0"))] == ["/comment"]

"""For all bodies: the compiled decoder says yes exactly when the `check` of the domain does."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.respondent import EDUCATION, OCCUPATION, SEX
from shared.domain.submission.check import violations
from shared.registry.snapshot import Layanan, Opd
from shared.wire import Submission, SubmissionDecoder
from tests.builders import questionnaire, registry

QUESTIONNAIRES = {
    asked.code: asked
    for asked in (
        SKM_2017,
        questionnaire("satu", "U1"),
        questionnaire("bebas", "U1", "U2", optional=frozenset({"U1", "U2"})),
        questionnaire("campur", "x-1", "U1", "lambda", "U2", optional=frozenset({"x-1", "lambda"})),
        questionnaire("panjang", *(f"U{n}" for n in range(1, 15)), optional=frozenset({"U14"})),
    )
}
LAYANAN = {code: Layanan(code, code, questionnaire=code) for code in (*QUESTIONNAIRES, "hilang")}
DECODER = SubmissionDecoder(
    registry(opd={"opd": Opd("opd", "OPD", layanan=LAYANAN)}, questionnaires=QUESTIONNAIRES)
)

# At and beyond the edge of every field, and of other types.
ODD: list[object] = [
    None,
    True,
    False,
    -1,
    0,
    1,
    4,
    5,
    120,
    121,
    2**63,
    2**64,
    -(2**63) - 1,
    4.0,
    1.5,
    "",
    "4",
    "x\0",
    "loket\n",
    [],
    {},
    [1],
]
LONG = [length * letter for length in (64, 65, 128, 129, 2000, 2001) for letter in ("x", "é", "😀")]
TIMES = [
    f"{day}{separator}{time}{zone}"
    for day in (
        "2026-05-04",
        "1899-12-31",
        "1900-01-01",
        "9998-12-31",
        "9999-12-31",
        "2026-02-29",
        "2024-02-29",
    )
    for separator in "Tt _"
    for time in (
        "09:12:00",
        "23:59:59.9999996",
        "23:59:60",
        "24:00:00",
        "09:12",
        "09:12:00.5",
        "09:12:00,5",
    )
    for zone in ("Z", "z", "+07:00", "-00:00", "+0700", "+07", "+24:00", "+07:60", "")
]
odd = st.sampled_from([*ODD, *LONG]) | st.sampled_from(TIMES) | st.text(max_size=3)
texts = st.sampled_from(["a", "é", "😀", "\\u0000", '"', "\x7f", " ", "x" * 64])
names = st.sampled_from(
    ["U1", "U2", "U9", "U14", "x-1", "lambda", "unsur_0", "nama", "a/b", "\0", ""]
)


def _valid_answers(judge: Questionnaire | None) -> st.SearchStrategy[dict[str, int | None]]:
    if judge is None:
        return st.dictionaries(names, st.sampled_from([1, 4, None]), max_size=3)
    scores = st.integers(1, 4)
    return st.fixed_dictionaries(
        {unsur.code: scores for unsur in judge.unsur if unsur.required},
        optional={unsur.code: scores | st.none() for unsur in judge.unsur if not unsur.required},
    )


@st.composite
def valid(draw: st.DrawFn) -> dict[str, object]:
    """A submission that `check` finds nothing in, but for NUL in names of answers."""
    code = draw(st.sampled_from([*QUESTIONNAIRES, "hilang"]))
    document: dict[str, object] = {"opd": "opd", "layanan": code}
    if draw(st.booleans()):
        document = {"opd": draw(texts), "layanan": draw(texts), "questionnaire": code}
    document["answers"] = draw(_valid_answers(QUESTIONNAIRES.get(code)))
    profile = st.fixed_dictionaries(
        {},
        optional={
            "sex": st.sampled_from([*SEX, None]),
            "age": st.sampled_from([0, 120, None]),
            "education": st.sampled_from([*EDUCATION, None]),
            "occupation": st.sampled_from([*OCCUPATION, None]),
        },
    )
    more: dict[str, st.SearchStrategy[object]] = {
        "id": texts | st.none(),
        "submitted_at": st.sampled_from(
            ["2026-05-04T09:12:00.5+07:00", "1900-01-01t00:00:00z", None]
        ),
        "respondent": profile | st.none(),
        "comment": st.sampled_from(["", "x" * 2000, "😀" * 2000, None]),
        "point": st.sampled_from(["loket-3", "A.b_C-9", "x" * 64, None]),
        "replaces": texts | st.none(),
        "ticket": st.sampled_from(["7K3M-9QWE-R2TX-8ZPA", "x" * 64, None]),
    }
    return document | draw(st.fixed_dictionaries({}, optional=more))


MEMBERS = [
    "id",
    "opd",
    "layanan",
    "questionnaire",
    "submitted_at",
    "answers",
    "respondent",
    "comment",
    "point",
    "replaces",
    "ticket",
]


@st.composite
def near(draw: st.DrawFn) -> object:
    """A submission in which one or two members, nested or not, were replaced, added or removed."""
    document = draw(valid())
    for _ in range(draw(st.integers(1, 2))):
        inner = draw(st.sampled_from(["", "", "answers", "respondent"]))
        target = document if not inner else document.setdefault(inner, {})
        if isinstance(target, dict):
            name = draw(
                st.sampled_from(MEMBERS)
                | names
                | st.sampled_from(["sex", "age", "education", "occupation"])
            )
            if draw(st.booleans()):
                target[name] = draw(odd)
            else:
                target.pop(name, None)
    return document


documents = st.recursive(
    odd, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
)


def _judged_by(document: object) -> Questionnaire | None:
    """The contract in its own words: what is named, else the layanan's, else the regulation's."""
    if not isinstance(document, dict):
        return SKM_2017
    named, place = document.get("questionnaire"), (document.get("opd"), document.get("layanan"))
    if named is None:
        named = place[1] if place[0] == "opd" and place[1] in LAYANAN else SKM_2017.code
    if not all(isinstance(text, str) for text in (named, *place)):
        return SKM_2017
    return QUESTIONNAIRES.get(named)


def _is_text(document: object) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.one_of(valid(), near(), near(), documents), st.booleans())
@settings(deadline=None)
def test_the_decoder_says_yes_exactly_when_the_check_finds_nothing(
    document: object, ascii_only: bool
) -> None:
    if not _is_text(document):
        ascii_only = True  # half a surrogate pair can only be written as an escape
    decoded = DECODER.decode(json.dumps(document, ensure_ascii=ascii_only).encode())
    if not _is_text(document):
        assert isinstance(decoded, list)
    else:
        expected = list(violations(document, _judged_by(document)))
        assert expected == (decoded if isinstance(decoded, list) else [])


@given(valid())
@settings(deadline=None)
def test_what_was_read_can_be_stored(document: dict[str, object]) -> None:
    decoded = DECODER.decode(json.dumps(document).encode())
    if isinstance(decoded, list):
        assert all(v.code == "character" and v.pointer.startswith("/answers") for v in decoded)
        return
    destination = DECODER.destination(decoded.opd, decoded.layanan, decoded.questionnaire)
    assert destination is not None
    judge = destination.answers_decoder.questionnaire
    if judge is not None:
        answers = document["answers"]
        assert isinstance(answers, dict)
        given = msgspec.structs.astuple(destination.answers_decoder.decode(decoded.answers))
        assert given == tuple(answers.get(unsur.code) for unsur in judge.unsur)


@given(st.binary() | st.text().map(str.encode))
@settings(deadline=None)
def test_no_bytes_make_it_fail(body: bytes) -> None:
    decoded = DECODER.decode(body)
    assert isinstance(decoded, Submission) or decoded


@given(valid(), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3))
@settings(deadline=None)
def test_no_damage_to_a_body_makes_it_fail(
    document: object, start: int, put: bytes, length: int
) -> None:
    body = json.dumps(document).encode()
    decoded = DECODER.decode(body[:start] + put + body[start + length :])
    assert isinstance(decoded, Submission) or decoded


@pytest.mark.parametrize("number", [0, 5, -(2**63) - 1, 2**64, 10**30])
def test_an_answer_that_is_a_score_of_no_questionnaire_is_refused(number: int) -> None:
    body = json.dumps(
        {"opd": "a", "layanan": "b", "questionnaire": "nanti", "answers": {"U1": number}}
    ).encode()
    decoded = DECODER.decode(body)
    assert isinstance(decoded, list)
    assert [(v.pointer, v.code) for v in decoded] == [("/answers/U1", "range")]

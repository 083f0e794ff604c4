"""For all JSON: `check` never fails, points at what is there, and agrees with a strict decoder."""

import json
import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.questionnaire import SKM_2017, Questionnaire
from tests.unit.shared.domain.answers import check

NO_NUL = r"\A[^\x00]*\Z"
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=NO_NUL)]
Score = Annotated[int, msgspec.Meta(ge=1, le=4)]
Answers = msgspec.defstruct(
    "Answers", [(u.code, Score) for u in SKM_2017.unsur], forbid_unknown_fields=True
)
Loose = dict[Annotated[str, msgspec.Meta(pattern=NO_NUL)], Score | None]


class Respondent(msgspec.Struct, forbid_unknown_fields=True):
    sex: Literal["L", "P"] | None = None
    age: Annotated[int, msgspec.Meta(ge=0, le=120)] | None = None
    education: Literal["SD", "SMP", "SMA", "D1", "D2", "D3", "D4", "S1", "S2", "S3"] | None = None
    occupation: (
        Literal["PNS", "TNI", "POLRI", "SWASTA", "WIRAUSAHA", "PELAJAR", "LAINNYA"] | None
    ) = None


def decoder_of(answers: type) -> msgspec.json.Decoder[object]:
    instant = Annotated[datetime, msgspec.Meta(tz=True)]
    fields: list[tuple[str, object] | tuple[str, object, None]] = [
        ("opd", Code),
        ("layanan", Code),
        ("answers", answers),
        (
            "id",
            Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=NO_NUL)] | None,
            None,
        ),
        ("questionnaire", Code | None, None),
        ("submitted_at", instant | None, None),
        ("respondent", Respondent | None, None),
        ("comment", Annotated[str, msgspec.Meta(max_length=2000, pattern=NO_NUL)] | None, None),
    ]
    shape = msgspec.defstruct("Submission", fields, forbid_unknown_fields=True)
    return msgspec.json.Decoder(shape)


DECODERS = [(SKM_2017, decoder_of(Answers)), (None, decoder_of(Loose))]

# Values at and beyond the edges of every field, and of the wrong type.
EDGES = [
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
    2**64,
    4.0,
    "",
    "L",
    "M",
    "S1",
    "PNS",
    "a\0b",
    "\ud800",
    "\udc00",
]
LENGTHS = [length * letter for length in (64, 65, 128, 129, 2000, 2001) for letter in "x😀"]
TIMES = [
    f"{year}-05-04T09:12:00{zone}"
    for year in (1899, 1900, 9998, 9999)
    for zone in ("Z", "+07:00", "")
]
edges = st.sampled_from([*EDGES, *LENGTHS, *TIMES])
scalars = edges | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
)

codes = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64
)
profiles = st.fixed_dictionaries(
    {},
    optional={
        "sex": st.sampled_from(["L", "P", None]),
        "age": st.integers(0, 120) | st.none(),
        "education": st.sampled_from(["SD", "D4", "S3", None]),
        "occupation": st.sampled_from(["PNS", "LAINNYA", None]),
    },
)
valid = st.fixed_dictionaries(
    {
        "opd": codes,
        "layanan": codes,
        "answers": st.fixed_dictionaries({u.code: st.integers(1, 4) for u in SKM_2017.unsur}),
    },
    optional={
        "id": codes | st.none(),
        "questionnaire": codes | st.none(),
        "submitted_at": st.sampled_from(
            ["2026-05-04T09:12:00.5+07:00", "2026-05-04 09:12:00z", None]
        ),
        "respondent": profiles | st.none(),
        "comment": st.just("") | codes | st.none(),
    },
)
MEMBERS = {
    "": [
        "id",
        "opd",
        "layanan",
        "questionnaire",
        "submitted_at",
        "answers",
        "respondent",
        "comment",
    ],
    "answers": [u.code for u in SKM_2017.unsur],
    "respondent": ["sex", "age", "education", "occupation"],
}


@st.composite
def nearly_valid(draw: st.DrawFn) -> object:
    """A valid submission with one or two members, nested or not, replaced, added or removed."""
    document = draw(valid)
    for _ in range(draw(st.integers(1, 2))):
        inner = draw(st.sampled_from(["", "answers", "respondent"]))
        target = document if not inner else document.setdefault(inner, {})
        if not isinstance(target, dict):
            continue
        name = draw(st.sampled_from(MEMBERS[inner]) | st.sampled_from(["nama", "a/b", "~", "\0"]))
        if draw(st.integers(0, 9)):
            target[name] = draw(edges | documents)
        else:
            target.pop(name, None)
    return document


def accepted(decoder: msgspec.json.Decoder[object], body: str) -> bool:
    try:
        submission = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    instant = getattr(submission, "submitted_at", None)
    return instant is None or 1900 <= instant.year <= 9998


def resolves(document: object, pointer: str) -> bool:
    """Whether an RFC 6901 pointer names a value of the document or an absent member in it."""
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    for token in tokens[:-1]:
        if not isinstance(document, dict) or token not in document:
            return False
        document = document[token]
    return not tokens or isinstance(document, dict)


@given(documents | nearly_valid(), st.sampled_from([SKM_2017, None]))
def test_no_json_makes_the_check_fail(
    document: object, questionnaire: Questionnaire | None
) -> None:
    for violation in check(document, questionnaire):
        assert resolves(document, violation.pointer)
        assert re.fullmatch("[a-z]+", violation.code)
        assert violation.detail
        (violation.pointer + violation.detail).encode()


@given(valid)
def test_every_valid_submission_is_accepted(document: object) -> None:
    assert check(document, SKM_2017) == []


@pytest.mark.parametrize(("questionnaire", "decoder"), DECODERS, ids=["known", "unknown"])
@given(documents=st.one_of(valid, nearly_valid(), documents))
def test_a_strict_decoder_says_yes_exactly_when_the_check_finds_nothing(
    questionnaire: Questionnaire | None, decoder: msgspec.json.Decoder[object], documents: object
) -> None:
    body = json.dumps(documents)
    assert accepted(decoder, body) == (check(json.loads(body), questionnaire) == [])

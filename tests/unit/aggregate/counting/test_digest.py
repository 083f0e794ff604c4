"""The digest: without structure, the same for all who read a body, and for each way to write it."""

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.counting.decode import DecodedSubmissions, ScoreColumns, decode
from services.aggregate.counting.digest import digests
from services.aggregate.counting.judge import Judge
from services.aggregate.counting.judgement import park_all
from shared.domain.questionnaire import SKM_2017
from shared.registry.snapshot import Registry
from shared.wire import SubmissionDecoder, digest_of
from tests.builders import questionnaire, registry, submission, submission_json

DECODER = SubmissionDecoder(registry())
LAB = {"opd": "dinkes", "layanan": "lab"}
SOME_TIME = "2026-05-04T09:12:00.123456+07:00"


def by_columns(*bodies: bytes, by: Registry | None = None) -> list[int]:
    decoder = SubmissionDecoder(by) if by else DECODER
    return [int(digest) for digest in digests(decode(decoder, bodies), bodies)]


def answer_sets() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """All 4**9 answers to the questionnaire of the regulation, as ASCII digits."""
    scores = np.indices((4,) * SKM_2017.size).reshape(SKM_2017.size, -1).T
    return (scores + ord("1")).astype(np.uint8)


def decoded(scores: np.ndarray[Any, np.dtype[np.uint8]], **columns: Any) -> DecodedSubmissions:
    """So many submissions, as if they had been read."""
    size = len(scores)
    one_each: dict[str, Any] = {
        "destinations": [DECODER.destination("disdukcapil", "ktp-el", None)],
        "destination_index": np.zeros(size, dtype=np.int64),
        "sent_us": np.zeros(size, dtype=np.int64),
        "is_timed": np.zeros(size, dtype=np.bool_),
        "answers": [ScoreColumns(SKM_2017, np.arange(size), scores)],
        "profiles": np.zeros(size, dtype=np.int64),
        "comments": [None] * size,
        "is_commented": np.zeros(size, dtype=np.bool_),
        "points": [None] * size,
        "is_pointed": np.zeros(size, dtype=np.bool_),
        "replaced_ids": {},
        "is_readable": np.ones(size, dtype=np.bool_),
    }
    return DecodedSubmissions(**{**one_each, **columns})


def test_all_answer_sets_have_different_digests() -> None:
    every = answer_sets()
    column = digests(decoded(every), [b""] * len(every))
    assert len(np.unique(column)) == 4**9
    example = [0, 1, 4**8, 4**9 - 1]
    bodies = [
        submission_json(
            answers={
                f"U{n}": int(digit) for n, digit in enumerate(bytes(every[index]).decode(), 1)
            },
            submitted_at=...,
            respondent=...,
            comment=...,
        )
        for index in example
    ]
    assert by_columns(*bodies) == column[example].tolist(), "those of real bodies"


def test_a_million_random_contents_have_different_digests() -> None:
    size, draw = 1_000_000, np.random.default_rng(20171114)
    columns = {
        "sent_us": 1_700_000_000_000_000 + draw.permutation(size),
        "is_timed": np.ones(size, dtype=np.bool_),
        "profiles": draw.integers(0, 30_000, size),
    }
    scores = draw.choice(answer_sets(), size)
    column = digests(decoded(scores, **columns), [b""] * size)
    assert len(np.unique(column)) == size


def test_two_answers_that_added_up_to_the_same_are_told_apart() -> None:
    """Their sums of CRC-32 are equal, and were the digest once."""
    pair = [
        submission_json(answers={f"U{n}": int(digit) for n, digit in enumerate(digits, start=1)})
        for digits in ("334334333", "343333433")
    ]
    assert len(set(by_columns(*pair))) == 2


scores = st.sampled_from([1, 2, 3, 4])
any_answers = st.one_of(
    st.fixed_dictionaries({f"U{n}": scores for n in range(1, 10)}),
    st.dictionaries(
        st.sampled_from(["1-a", "class", "U3", "U1", "é", "zz\0"]),
        st.one_of(scores, st.none(), st.integers(0, 9), st.just("4")),
    ),
)
documents = st.fixed_dictionaries(
    {"answers": any_answers},
    optional={
        "opd": st.sampled_from(["dinkes", "disdukcapil", "tidak-ada", "a\0b", "", 7]),
        "layanan": st.sampled_from(["lab", "puskesmas", "lain"]),
        "questionnaire": st.sampled_from(["singkat", "skm-2017", "belum-ada", None]),
        "submitted_at": st.sampled_from(
            [SOME_TIME, None, "0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-07:00", "kemarin"]
        ),
        "respondent": st.sampled_from([None, {}, {"sex": "P", "age": 34}, {"sex": "X"}]),
        "comment": st.sampled_from([None, "", "Ramah \N{SMILING FACE WITH OPEN MOUTH}", "\0"]),
        "point": st.sampled_from([None, "loket-3", "", "Ramah", "dua kata"]),
        "replaces": st.sampled_from([None, "loket-3", "a1", "Ramah", "\0"]),
        "asing": st.just(1),
    },
)


@given(st.lists(documents.map(lambda changes: submission_json(**{**LAB, **changes})), max_size=5))
def test_many_at_once_have_the_digests_of_each_alone(bodies: list[bytes]) -> None:
    expected = [digest_of(body) for body in bodies]
    assert by_columns(*bodies) == expected
    assert park_all(bodies).digests.tolist() == expected, "in quarantine, too"
    assert all(-(2**63) <= digest < 2**63 for digest in expected)


@given(st.lists(documents, min_size=2, max_size=2))
def test_two_documents_have_one_digest_when_they_say_the_same(pair: list[dict[str, Any]]) -> None:
    first, second = (submission(**{**LAB, **changes}) for changes in pair)
    if _said(first) != _said(second):
        bodies = [json.dumps(document).encode() for document in (first, second)]
        assert digest_of(bodies[0]) != digest_of(bodies[1])


def _said(document: dict[str, Any]) -> object:
    """What a document says: null is as good as absent, also among answers and in a profile."""
    answered = {code: score for code, score in document["answers"].items() if score is not None}
    profile = document.get("respondent") or {}
    rest = {
        name: value
        for name, value in document.items()
        if name not in {"answers", "respondent"} and value is not None
    }
    return answered, profile, rest


def test_the_digest_of_one_body_does_not_depend_on_how_it_is_written() -> None:
    body = submission_json(**LAB, answers={"U3": 4, "1-a": 2, "class": None}, respondent=None)
    document = json.loads(body)
    turned = dict(reversed(document.items()))
    turned["answers"] = {"1-a": 2, "U3": 4}
    turned["submitted_at"] = "2026-05-04T02:12:00Z"
    turned["respondent"] = {}
    rewritten = json.dumps(turned, indent=2).encode()
    assert len(set(by_columns(body, rewritten)) | {digest_of(body), digest_of(rewritten)}) == 1


def test_the_digest_of_what_has_no_point_and_replaces_nothing_is_that_of_before() -> None:
    """Else every repetition of what was sent before would be a conflict."""
    assert by_columns(submission_json(), submission_json(comment=...)) == [
        -6629800591169806981,
        6114975391476529192,
    ]


def test_the_registry_has_no_part_in_it() -> None:
    """Readable, unreadable, of an unknown questionnaire, parked by a fault: one digest."""
    body = submission_json(**LAB, answers={"1-a": 2, "U3": 4})
    others = [
        registry(questionnaires={"singkat": questionnaire("singkat", "1-a", "class", "U3")}),
        registry(questionnaires={"singkat": questionnaire("singkat", "X")}),
        registry(questionnaires={}),
        registry(opd={}),
    ]
    reasons = {
        parkable.reason
        for other in others
        for parkable in Judge(other).judge([body], ["loket"], [0]).parkable.values()
    }
    assert reasons == {"required", "unknown-questionnaire"}
    seen = {by_columns(body, by=other)[0] for other in [registry(), *others]}
    assert seen == {digest_of(body)} == set(park_all([body]).digests.tolist())


def test_what_is_no_submission_is_told_apart_by_its_bytes() -> None:
    bodies = [b"{", b"[]", b"", b"null", b'{"id": "1"}']
    assert len(set(by_columns(*bodies))) == len(bodies)
    assert by_columns(*bodies) == [digest_of(body) for body in bodies]

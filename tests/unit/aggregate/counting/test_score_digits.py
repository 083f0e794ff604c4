"""Reading many answers at once gives what reading each by itself gives, however they are written."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.counting import score_digits
from shared.domain.questionnaire import SKM_2017
from shared.wire import AnswersDecoder
from tests.builders import questionnaire

FREE = questionnaire("bebas", "U1", "x", "1", ":1,", "a b", optional=frozenset({"x", "1"}))
DECODERS = {SKM_2017.code: AnswersDecoder(SKM_2017), FREE.code: AnswersDecoder(FREE)}
CODES = {known.code: [unsur.code for unsur in known.unsur] for known in (SKM_2017, FREE)}
SPELLINGS: list[dict[str, Any]] = [
    {"separators": (",", ":")},
    {},
    {"indent": 1},
    {"sort_keys": True},
    {"separators": (" , ", "\t:\n")},
]


def one_by_one(answers_decoder: AnswersDecoder, texts: list[bytes]) -> list[tuple[int, ...] | None]:
    found = [answers_decoder.decode(text) for text in texts]
    return [
        None if one is None else tuple(score or 0 for score in msgspec.structs.astuple(one))
        for one in found
    ]


def at_once(answers_decoder: AnswersDecoder, texts: list[bytes]) -> list[tuple[int, ...] | None]:
    assert answers_decoder.questionnaire is not None
    digits, valid = score_digits.digits(answers_decoder, texts, answers_decoder.questionnaire.size)
    return [
        tuple(row) if good else None
        for row, good in zip(digits.tolist(), valid.tolist(), strict=True)
    ]


scores = st.sampled_from([1, 2, 3, 4, 4, 4, 4, 0, 5, 12, None, "4", True, 4.0])
spelled = st.sampled_from(SPELLINGS)


@st.composite
def batches(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    code = draw(st.sampled_from(list(CODES)))
    texts = []
    for _ in range(draw(st.integers(1, 12))):
        answers: Mapping[str, object] = {unsur: draw(st.integers(1, 4)) for unsur in CODES[code]}
        if draw(st.booleans()):
            answers = {**answers, draw(st.sampled_from([*CODES[code], "nama"])): draw(scores)}
        if draw(st.integers(0, 5)) == 0:
            answers = dict(list(answers.items())[1:])
        text = json.dumps(answers, **draw(spelled)).encode()
        if draw(st.integers(0, 5)) == 0:
            text = text.replace(b"1", draw(st.sampled_from([b"4", b"11", b"-1", b"", b'"1"'])))
        if draw(st.integers(0, 8)) == 0:
            text = text[:-1] + draw(
                st.sampled_from([b',"U1":4}', b',"U1": 1}', b"", b"]", b"}}", b" }"])
            )
        texts.append(text)
    return code, texts


@given(batches())
def test_at_once_is_as_one_by_one(drawn: tuple[str, list[bytes]]) -> None:
    code, texts = drawn
    assert at_once(DECODERS[code], texts) == one_by_one(DECODERS[code], texts)


@pytest.mark.parametrize("spelling", SPELLINGS, ids=range(len(SPELLINGS)))
def test_what_one_program_writes_is_read_off_and_not_decoded(
    spelling: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_decoder = AnswersDecoder(SKM_2017)
    rows = np.random.default_rng(4).integers(1, 5, (300, 9)).tolist()
    texts = [
        json.dumps(dict(zip(CODES[SKM_2017.code], row, strict=True)), **spelling).encode()
        for row in rows
    ]
    read, asked = AnswersDecoder.decode, 0

    def counted(self: AnswersDecoder, raw: msgspec.Raw | bytes) -> Any:
        nonlocal asked
        asked += 1
        return read(self, raw)

    monkeypatch.setattr(AnswersDecoder, "decode", counted)
    assert at_once(answers_decoder, texts) == [tuple(row) for row in rows]
    assert asked == 10


def test_a_key_that_looks_like_a_score_is_none() -> None:
    text = json.dumps({"U1": 1, "x": 2, "1": 3, ":1,": 4, "a b": 1}, separators=(",", ":")).encode()

    assert at_once(DECODERS["bebas"], [text, text.replace(b'":1,"', b'":2,"')]) == [
        (1, 2, 3, 4, 1),
        None,
    ]

"""Answers of many respondents at once: what one program writes differs in its digits alone.

    {"U1":4,"U2":3,…}   a model, decoded as any other
    {"U1":3,"U2":3,…}   every byte the same but the scores: read off their places

Where scores stand in a model is not parsed but tried: another digit there must change one answer,
and only that one. What is written like no model is decoded by itself.
"""

import re
from collections.abc import Sequence

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from shared.domain.questionnaire import SCORES
from shared.wire import AnswersDecoder

Digits = NDArray[np.uint8]  # respondents x unsur, 0: not answered
MODELS = 8  # programs that send at the same time; a model costs as much as some 30 answers
_SCORE = re.compile(rb"(?<=[:\s])[1-4](?=[\s,}])")


def digits(
    answers_decoder: AnswersDecoder, texts: Sequence[bytes], size: int
) -> tuple[Digits, NDArray[np.bool_]]:
    """The scores that these JSON texts give to the questionnaire of a decoder, and which of the texts are valid."""
    found = np.zeros((len(texts), size), dtype=np.uint8)
    valid = np.zeros(len(texts), dtype=np.bool_)
    left = np.arange(len(texts))
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    for _ in range(MODELS):
        if not len(left):
            break
        model = texts[left[0]]
        at = _places(answers_decoder, model, size)
        if at is None:  # it is a model of nothing
            found[left[0]], valid[left[0]] = _alone(answers_decoder, model, size)
            left = left[1:]
            continue
        as_long = left[lengths[left] == len(model)]
        scores, like = _read_off(model, at, [texts[index] for index in as_long.tolist()])
        found[as_long[like]], valid[as_long[like]] = scores[like], True
        left = left[~valid[left]]
    for index in left.tolist():
        found[index], valid[index] = _alone(answers_decoder, texts[index], size)
    return found, valid


def _alone(answers_decoder: AnswersDecoder, text: bytes, size: int) -> tuple[Sequence[int], bool]:
    given = answers_decoder.decode(text)
    return (
        ((0,) * size, False) if given is None else ([score or 0 for score in astuple(given)], True)
    )


def _places(answers_decoder: AnswersDecoder, model: bytes, size: int) -> Sequence[int] | None:
    """Where in the text the score of each unsur stands; None where some unsur has none, or it cannot be told."""
    before = answers_decoder.decode(model)
    candidates = [found.start() for found in _SCORE.finditer(model)]
    if before is None or len(candidates) != size:
        return None
    places: dict[int, int] = {}
    for at in candidates:
        other = (model[at] - ord("0")) % 4 + 1
        after = answers_decoder.decode(model[:at] + b"%d" % other + model[at + 1 :])
        if after is None:
            return None
        changed = [
            u
            for u, (old, new) in enumerate(zip(astuple(before), astuple(after), strict=True))
            if old != new
        ]
        if len(changed) != 1 or astuple(after)[changed[0]] != other:
            return None
        places[changed[0]] = at
    return [places[u] for u in range(size)] if len(places) == size else None


def _read_off(
    model: bytes, at: Sequence[int], texts: Sequence[bytes]
) -> tuple[Digits, NDArray[np.bool_]]:
    """The scores at these places, and which of the texts, all as long as the model, are like it elsewhere."""
    letters = np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(len(texts), len(model))
    scores = letters[:, at] - np.uint8(ord("0"))
    same = letters == np.frombuffer(model, dtype=np.uint8)
    same[:, at] = (scores >= SCORES[0]) & (scores <= SCORES[-1])
    return scores, same.all(axis=1)

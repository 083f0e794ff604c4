"""Responses → deltas of the day tallies: a group-by over a whole batch at once.

numpy rather than pandas, and dense cells rather than sorted groups: the fastest of the ways that `make bench`
compares, on small batches by far, since no frame is built.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.questionnaire import Questionnaire
from shared.domain.respondent import AGE_GROUPS, AGE_MAX, EDUCATION, OCCUPATION, SEX, age_group
from shared.storage.responses import Place, Profile
from shared.storage.tallies import Deltas, Key

Ints = NDArray[np.int64]

_SEX = {None: -1} | {value: code for code, value in enumerate(SEX)}
_AGE = {None: -1} | {age: AGE_GROUPS.index(age_group(age)) for age in range(AGE_MAX + 1)}
_EDUCATION = {None: -1} | {value: code for code, value in enumerate(EDUCATION)}
_OCCUPATION = {None: -1} | {value: code for code, value in enumerate(OCCUPATION)}
_BINS = 5  # "not answered" and the four scores


class _Facet(NamedTuple):
    name: str
    values: Sequence[str]
    codes: Ints  # of each response, an index of `values`; -1: unknown


class _Batch(NamedTuple):
    digits: Ints  # responses x unsur; 0: not answered
    complete: Ints  # 1: every unsur answered
    totals: Ints  # weighted total of a complete one, else 0


def tally(
    questionnaire: Questionnaire, places: Sequence[Place], profiles: Sequence[Profile], scores: Sequence[str]
) -> Deltas:
    """The deltas of responses to one questionnaire, given as columns; scores are digits, "-" where not answered."""
    batch = _batch(questionnaire, scores)
    distinct: dict[Place, int] = {}
    numbers = _numbers(places, distinct)
    rows: list[tuple[Key, int, bytes, int, int, int]] = []
    for facet in _facets(places, profiles):
        rows += _rows(batch, list(distinct), numbers, facet)
    rows.sort()
    keys, n, counts, complete, total, total_sq = zip(*rows, strict=True)
    return Deltas(keys, 4 * questionnaire.size, n, array("i", b"".join(counts)), complete, total, total_sq)


def _batch(questionnaire: Questionnaire, scores: Sequence[str]) -> _Batch:
    flat = np.frombuffer("".join(scores).encode(), dtype=np.uint8).reshape(len(scores), questionnaire.size)
    digits = np.where(flat == ord("-"), ord("0"), flat).astype(np.int64) - ord("0")
    complete = np.min(digits, axis=1) > 0
    totals = np.where(complete, digits @ np.asarray(questionnaire.weights, dtype=np.int64), 0)
    return _Batch(digits, complete.astype(np.int64), totals)


def _numbers(places: Sequence[Place], distinct: dict[Place, int]) -> Ints:
    # Equal places are mostly one object: asking for its id spares the hash of five fields. Places that differ in their
    # channel alone share their rows: of the channel only its facet tells.
    known: dict[int, int] = {}
    numbers: list[int] = []
    for place in places:
        number = known.get(id(place))
        if number is None:
            number = known[id(place)] = distinct.setdefault(place._replace(channel=""), len(distinct))
        numbers.append(number)
    return np.asarray(numbers, dtype=np.int64)


def _facets(places: Sequence[Place], profiles: Sequence[Profile]) -> list[_Facet]:
    sexes, ages, educations, occupations = zip(*profiles, strict=True)
    channels = sorted({place.channel for place in places})
    channel_codes = {channel: code for code, channel in enumerate(channels)}
    return [
        _Facet("all", [""], np.zeros(len(places), dtype=np.int64)),
        _Facet("sex", SEX, np.asarray([_SEX[value] for value in sexes], dtype=np.int64)),
        _Facet("age", AGE_GROUPS, np.asarray([_AGE[value] for value in ages], dtype=np.int64)),
        _Facet("education", EDUCATION, np.asarray([_EDUCATION[value] for value in educations], dtype=np.int64)),
        _Facet("occupation", OCCUPATION, np.asarray([_OCCUPATION[value] for value in occupations], dtype=np.int64)),
        _Facet("channel", channels, np.asarray([channel_codes[place.channel] for place in places], dtype=np.int64)),
    ]


def _rows(
    batch: _Batch, places: Sequence[Place], numbers: Ints, facet: _Facet
) -> list[tuple[Key, int, bytes, int, int, int]]:
    """One row a cell (place, value) that any response falls in."""
    known = facet.codes >= 0
    cells = (numbers * len(facet.values) + facet.codes)[known]
    size = len(places) * len(facet.values)
    n = np.bincount(cells, minlength=size)
    filled = np.flatnonzero(n)
    digits = batch.digits[known]
    unsur = digits.shape[1]
    counts = np.empty((len(filled), unsur, 4), dtype=np.int32)
    for u in range(unsur):
        scores = np.bincount(cells * _BINS + digits[:, u], minlength=_BINS * size).reshape(size, _BINS)
        counts[:, u] = scores[filled, 1:]
    sums = (_sums(cells, values[known], size)[filled] for values in (batch.complete, batch.totals, batch.totals**2))
    keys = (_key(places[cell // len(facet.values)], facet, cell % len(facet.values)) for cell in filled.tolist())
    columns = (column.tolist() for column in (n[filled], *sums))
    n_list, complete, total, total_sq = columns
    return list(zip(keys, n_list, (row.tobytes() for row in counts), complete, total, total_sq, strict=True))


def _key(place: Place, facet: _Facet, code: int) -> Key:
    return Key(place.opd, facet.name, place.day, place.layanan, facet.values[code], place.questionnaire)


def _sums(cells: Ints, values: Ints, size: int) -> Ints:
    # bincount adds doubles: exact, since a batch's sums stay far below 2**53.
    return np.bincount(cells, weights=values, minlength=size).astype(np.int64)

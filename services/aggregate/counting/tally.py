"""Responses → deltas of the day tallies: a group-by over a whole batch at once.

numpy rather than pandas, and dense cells rather than sorted groups: the fastest of the ways that
`make bench` compares, on small batches by far, since no frame is built.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.aggregate.counting.decode import IntColumn
from shared.domain.questionnaire import Questionnaire
from shared.domain.respondent import (
    AGE_GROUPS,
    AGE_MAX,
    EDUCATION,
    OCCUPATION,
    PROFILE_RADIX,
    SEX,
    age_group,
)
from shared.storage.responses import Place
from shared.storage.tallies.day_tally import Deltas, Key

# Of an age plus one; 0 is unknown.
_AGE = np.asarray(
    [-1, *(AGE_GROUPS.index(age_group(age)) for age in range(AGE_MAX + 1))], dtype=np.int64
)
_BINS = 5  # "not answered" and the four scores
_SPARSE = 8  # times as many cells as responses: then only those that occur are numbered


class _Facet(NamedTuple):
    name: str
    values: Sequence[str]
    codes: IntColumn  # of each response, an index of `values`; -1: unknown


class _Batch(NamedTuple):
    bins: IntColumn  # responses x unsur: _BINS * unsur + score; score 0: not answered
    complete: IntColumn  # 1: every unsur answered
    totals: IntColumn  # weighted total of a complete one, else 0


def tally(
    questionnaire: Questionnaire,
    places: Sequence[Place],
    place: IntColumn,
    profiles: IntColumn,
    scores: NDArray[np.uint8],
) -> Deltas:
    """The deltas of responses to one questionnaire, given as columns.

    `place`: an index of `places`; `profiles`: of shared.domain.respondent.profile_code; `scores`:
    responses x unsur, ASCII digits, "-" where not answered.
    """
    batch = _batch(questionnaire, scores)
    # Places that differ in their channel alone share their rows: of the channel only its facet
    # tells.
    distinct: dict[Place, int] = {}
    channels = sorted({one.channel for one in places})
    number = np.asarray(
        [distinct.setdefault(one._replace(channel=""), len(distinct)) for one in places]
    )[place]
    channel = np.asarray([channels.index(one.channel) for one in places])[place]
    rows: list[tuple[Key, int, bytes, int, int, int]] = []
    for facet in (*_of_profiles(profiles), _Facet("channel", channels, channel)):
        rows += _rows(batch, list(distinct), number, facet)
    rows.sort()
    keys, n, counts, complete, total, total_sq = zip(*rows, strict=True)
    return Deltas(
        keys, 4 * questionnaire.size, n, array("i", b"".join(counts)), complete, total, total_sq
    )


def _batch(questionnaire: Questionnaire, scores: NDArray[np.uint8]) -> _Batch:
    digits = np.where(scores == ord("-"), ord("0"), scores).astype(np.int64) - ord("0")
    complete = np.min(digits, axis=1) > 0
    totals = np.where(complete, digits @ np.asarray(questionnaire.weights, dtype=np.int64), 0)
    return _Batch(digits + _BINS * np.arange(questionnaire.size), complete.astype(np.int64), totals)


def _of_profiles(profiles: IntColumn) -> Sequence[_Facet]:
    _, ages, educations, occupations = PROFILE_RADIX
    rest, occupation = np.divmod(profiles, occupations)
    rest, education = np.divmod(rest, educations)
    sex, age = np.divmod(rest, ages)
    return (
        _Facet("all", [""], np.zeros(len(profiles), dtype=np.int64)),
        _Facet("sex", SEX, sex - 1),
        _Facet("age", AGE_GROUPS, _AGE[age]),
        _Facet("education", EDUCATION, education - 1),
        _Facet("occupation", OCCUPATION, occupation - 1),
    )


def _rows(
    batch: _Batch, places: Sequence[Place], number: IntColumn, facet: _Facet
) -> list[tuple[Key, int, bytes, int, int, int]]:
    """One row a cell (place, value) that any response falls in."""
    known = facet.codes >= 0
    if not known.all():
        batch = _Batch(batch.bins[known], batch.complete[known], batch.totals[known])
        number, codes = number[known], facet.codes[known]
    else:
        codes = facet.codes
    names = len(facet.values)
    cells, size = number * names + codes, len(places) * names
    if size > _SPARSE * len(cells):
        filled, cells = np.unique(cells, return_inverse=True)
        n = np.bincount(cells, minlength=len(filled))
        rows, size = np.arange(len(filled)), len(filled)
    else:
        n = np.bincount(cells, minlength=size)
        filled = rows = np.flatnonzero(n)
    width = batch.bins.shape[1]
    bins = (cells * (_BINS * width))[:, None] + batch.bins
    scores = np.bincount(bins.ravel(), minlength=size * width * _BINS).reshape(size, width, _BINS)
    counts = scores[rows, :, 1:].astype(np.int32)
    sums = (
        _sums(cells, values, size)[rows]
        for values in (batch.complete, batch.totals, batch.totals**2)
    )
    keys = (_key(places[cell // names], facet, cell % names) for cell in filled.tolist())
    n_list, complete, total, total_sq = (column.tolist() for column in (n[rows], *sums))
    return list(
        zip(keys, n_list, (row.tobytes() for row in counts), complete, total, total_sq, strict=True)
    )


def _key(place: Place, facet: _Facet, code: int) -> Key:
    return Key(
        place.opd, facet.name, place.day, place.layanan, facet.values[code], place.questionnaire
    )


def _sums(cells: IntColumn, values: IntColumn, size: int) -> IntColumn:
    # bincount adds doubles: exact, since a batch's sums stay far below 2**53.
    return np.bincount(cells, weights=values, minlength=size).astype(np.int64)

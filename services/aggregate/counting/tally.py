"""Responses → deltas of the day tallies: a group-by over a whole batch at once.

numpy rather than pandas: the fastest of the ways that `make bench` compares, on small batches by
far, since no frame is built.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.aggregate.counting.columns import (
    BoolColumn,
    IntColumn,
    ScoreMatrix,
    int_column,
    numbered,
)
from shared.domain.questionnaire import SCORES, Questionnaire
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
from shared.storage.tallies.day_tally import Deltas, TallyKey

# Of an age plus one; 0 is unknown.
_AGE_GROUP_INDEX = np.asarray(
    [-1, *(AGE_GROUPS.index(age_group(age)) for age in range(AGE_MAX + 1))], dtype=np.int64
)
_INT64_MAX = 2**63 - 1
_BINS = 5  # "not answered" and the four scores


class _Facet(NamedTuple):
    """One way to split responses: by a part of the profile, by channel, or not at all."""

    name: str
    values: Sequence[str]
    value_index: IntColumn  # of each response, in `values`; -1: unknown


class _Answers(NamedTuple):
    """What responses add, whichever cell they fall in."""

    bins: IntColumn  # responses x unsur: _BINS * unsur + score; score 0: not answered
    is_complete: IntColumn  # 1: every unsur answered
    totals: IntColumn  # weighted total of a complete one, else 0

    def where(self, is_chosen: BoolColumn) -> "_Answers":
        return _Answers(*(column[is_chosen] for column in self))


class _Row(NamedTuple):
    """What one cell adds to its day tally; `counts` as the bytes of 32-bit integers."""

    key: TallyKey
    n: int
    counts: bytes
    complete: int
    total: int
    total_sq: int


def tally(
    questionnaire: Questionnaire,
    places: Sequence[Place],
    place_index: IntColumn,
    profiles: IntColumn,
    scores: ScoreMatrix,
) -> Deltas:
    """Return the deltas of responses to one questionnaire, given as columns.

    `place_index`: of each response, in `places`; `profiles`: of
    shared.domain.respondent.profile_code.
    """
    answers = _answers(questionnaire, scores)
    # Places that differ in their channel alone share their rows: only the facet tells channels.
    tallied_places, tallied_index = numbered([place._replace(channel="") for place in places])
    channels = sorted({place.channel for place in places})
    channel_index = int_column(channels.index(place.channel) for place in places)
    facets = (
        *_facets_of_profiles(profiles),
        _Facet("channel", channels, channel_index[place_index]),
    )
    rows = [
        row
        for facet in facets
        for row in _rows(answers, tallied_places, tallied_index[place_index], facet)
    ]
    rows.sort()
    keys, n, counts, complete, total, total_sq = zip(*rows, strict=True)
    return Deltas(
        keys, 4 * questionnaire.size, n, array("i", b"".join(counts)), complete, total, total_sq
    )


def _answers(questionnaire: Questionnaire, scores: ScoreMatrix) -> _Answers:
    digits = np.where(scores == ord("-"), ord("0"), scores).astype(np.int64) - ord("0")
    is_complete = np.min(digits, axis=1) > 0
    highest = SCORES[-1] * questionnaire.total_weight
    if highest**2 * len(scores) > _INT64_MAX:  # of a registry that no limit was held against
        raise OverflowError(f"the weights of {questionnaire.code} are too large to be added up")
    weights = np.asarray(questionnaire.weights, dtype=np.int64)
    return _Answers(
        digits + _BINS * np.arange(questionnaire.size),
        is_complete.astype(np.int64),
        np.where(is_complete, digits @ weights, 0),
    )


def _facets_of_profiles(profiles: IntColumn) -> Sequence[_Facet]:
    _, ages, educations, occupations = PROFILE_RADIX
    rest, occupation = np.divmod(profiles, occupations)
    rest, education = np.divmod(rest, educations)
    sex, age = np.divmod(rest, ages)
    return (
        _Facet("all", [""], np.zeros(len(profiles), dtype=np.int64)),
        _Facet("sex", SEX, sex - 1),
        _Facet("age", AGE_GROUPS, _AGE_GROUP_INDEX[age]),
        _Facet("education", EDUCATION, education - 1),
        _Facet("occupation", OCCUPATION, occupation - 1),
    )


def _rows(
    answers: _Answers, places: Sequence[Place], place_index: IntColumn, facet: _Facet
) -> list[_Row]:
    """Return a row for each cell (place, value) that any response falls in."""
    is_told = facet.value_index >= 0
    answers = answers.where(is_told)
    values = len(facet.values)
    codes = place_index[is_told] * values + facet.value_index[is_told]
    responses = np.bincount(codes, minlength=len(places) * values)
    cells = np.flatnonzero(responses)  # those that any response falls in
    cell_index = np.cumsum(responses > 0)[codes] - 1
    size, unsur = len(cells), answers.bins.shape[1]
    bins = (cell_index * (_BINS * unsur))[:, None] + answers.bins
    scores = np.bincount(bins.ravel(), minlength=size * unsur * _BINS).reshape(size, unsur, _BINS)
    counts = scores[:, :, 1:].astype(np.int32)
    return [
        _Row(*row)
        for row in zip(
            [_key(places[cell // values], facet, cell % values) for cell in cells.tolist()],
            responses[cells].tolist(),
            [cell_counts.tobytes() for cell_counts in counts],
            _sums(cell_index, answers.is_complete, size),
            _sums(cell_index, answers.totals, size),
            _sums(cell_index, answers.totals**2, size),
            strict=True,
        )
    ]


def _key(place: Place, facet: _Facet, value: int) -> TallyKey:
    return TallyKey(
        place.opd, facet.name, place.day, place.layanan, facet.values[value], place.questionnaire
    )


def _sums(cell_index: IntColumn, numbers: IntColumn, size: int) -> list[int]:
    """Return the sum of each cell."""
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, cell_index, numbers)  # integers: bincount would add doubles
    exact: list[int] = sums.tolist()
    return exact

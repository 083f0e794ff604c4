"""What becomes of submissions: counted, column by column, or parked for a reason."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from services.aggregate.counting.columns import IntColumn, ScoreMatrix, int_column, numbered
from shared.domain.questionnaire import Questionnaire
from shared.domain.violation import Violation
from shared.storage.responses import Place
from shared.wire import digest_of


class CountableResponses(NamedTuple):
    """Responses to one questionnaire, column by column."""

    questionnaire: Questionnaire
    positions: IntColumn  # among what was judged
    places: Sequence[Place]
    place_index: IntColumn  # of each response, in `places`
    answered_us: IntColumn
    scores: ScoreMatrix
    profiles: IntColumn  # of shared.domain.respondent.profile_code
    comments: Sequence[str | None]
    points: Sequence[str | None]

    def take(self, indices: IntColumn) -> "CountableResponses":
        """Return the responses at these indices, in their order."""
        return self._replace(
            positions=self.positions[indices],
            place_index=self.place_index[indices],
            answered_us=self.answered_us[indices],
            scores=self.scores[indices],
            profiles=self.profiles[indices],
            comments=[self.comments[index] for index in indices.tolist()],
            points=[self.points[index] for index in indices.tolist()],
        )


class Parkable(NamedTuple):
    """A submission that must wait; `reason` is a stable code."""

    violations: Sequence[Violation]
    reason: str


UNCOUNTABLE = Parkable(
    [Violation("", "uncountable", "counting failed; the log says why")], "uncountable"
)


class Judgement(NamedTuple):
    """What becomes of submissions: each is in one of `countable` or in `parkable`."""

    countable: Sequence[CountableResponses]  # by questionnaire, in the order of their codes
    parkable: Mapping[int, Parkable]  # by position
    digests: IntColumn  # 64 bits, signed, of the content of each


def park_all(bodies: Sequence[bytes], parkable: Parkable = UNCOUNTABLE) -> Judgement:
    """Return the judgement that parks every submission, to be replayed once the cause is mended."""
    return Judgement(
        (), dict.fromkeys(range(len(bodies)), parkable), int_column(map(digest_of, bodies))
    )


def joined(judgements: Sequence[Judgement]) -> Judgement:
    """Return the judgement of submissions that were judged in parts, one after the other."""
    parts: dict[str, list[CountableResponses]] = {}
    parkable: dict[int, Parkable] = {}
    start = 0
    for judgement in judgements:
        for responses in judgement.countable:
            moved = responses._replace(positions=responses.positions + start)
            parts.setdefault(responses.questionnaire.code, []).append(moved)
        parkable |= {start + position: reason for position, reason in judgement.parkable.items()}
        start += len(judgement.digests)
    return Judgement(
        [_concatenated(parts[code]) for code in sorted(parts)],
        parkable,
        np.concatenate([judgement.digests for judgement in judgements]),
    )


def _concatenated(parts: Sequence[CountableResponses]) -> CountableResponses:
    """Return the responses of all parts; equal places become one."""
    places, index_of_each = numbered([place for part in parts for place in part.places])
    index_of_part = np.split(index_of_each, np.cumsum([len(part.places) for part in parts])[:-1])
    return CountableResponses(
        parts[0].questionnaire,
        np.concatenate([part.positions for part in parts]),
        places,
        np.concatenate(
            [indices[part.place_index] for part, indices in zip(parts, index_of_part, strict=True)]
        ),
        np.concatenate([part.answered_us for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.profiles for part in parts]),
        [comment for part in parts for comment in part.comments],
        [point for part in parts for point in part.points],
    )

"""Judges submissions by the registry, many at once: where each is counted, or why it is parked."""

import logging
from collections.abc import Sequence
from datetime import date
from functools import cached_property

import numpy as np
import sqlalchemy as sa

from services.aggregate.counting.columns import BoolColumn, IntColumn, bool_column
from services.aggregate.counting.decode import DecodedSubmissions, decode
from services.aggregate.counting.digest import digests
from services.aggregate.counting.judgement import (
    CountableResponses,
    Judgement,
    Parkable,
    joined,
    park_all,
)
from services.aggregate.counting.places import PlaceFinder
from services.aggregate.counting.recovery import together_or_singly
from shared.domain.submission.identity import ReceiptMaker
from shared.domain.violation import Violation
from shared.registry.snapshot import Registry
from shared.storage.registry import stored_registry
from shared.storage.responses import Place
from shared.wire import Submission, SubmissionDecoder

log = logging.getLogger(__name__)

FUTURE_TOLERANCE_US = 24 * 3600 * 1_000_000
# Counted beside its original it would count twice: it waits until there are corrections.
_CORRECTION = Violation(
    "/replaces", "correction", "corrections are not counted yet: kept, to be replayed then"
)
_LATE = Violation("/submitted_at", "future-date", "lies more than 24 hours after its receipt")


class Judge:
    """Gives the judgements of one registry snapshot."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._decoder = SubmissionDecoder(registry)
        self._place_finder = PlaceFinder(registry)

    @cached_property
    def receipt_maker(self) -> ReceiptMaker:
        """Make receipts, by the secret that comes with the registry."""
        return ReceiptMaker(self.registry.secret)

    def judge(
        self,
        bodies: Sequence[bytes],
        channels: Sequence[str],
        received_us: Sequence[int] | IntColumn,
        now_us: int = 0,
    ) -> Judgement:
        """Return what becomes of submissions that came through these channels.

        `now_us`: when they are judged again. A fault that only one of them brings out parks that
        one.
        """
        if not bodies:
            return park_all(bodies)
        received = np.asarray(received_us, dtype=np.int64)

        def judge_part(positions: Sequence[int]) -> Judgement:
            part = slice(positions[0], positions[-1] + 1)  # all of them, or a single one
            return self._judge(bodies[part], channels[part], received[part], now_us)

        def park(position: int) -> Judgement:
            log.error("a submission cannot be judged: parked")
            return park_all([bodies[position]])

        judgements = together_or_singly(range(len(bodies)), judge_part, park)
        return judgements[0] if len(judgements) == 1 else joined(judgements)

    def day(self, instant_us: int) -> date:
        """Return the day of an instant (microseconds since 1970) in the instansi's zone."""
        return self._place_finder.day(instant_us)

    def _judge(
        self,
        bodies: Sequence[bytes],
        channels: Sequence[str],
        received_us: IntColumn,
        now_us: int,
    ) -> Judgement:
        decoded = decode(self._decoder, bodies)
        answered_us = np.where(decoded.is_timed, decoded.sent_us, received_us)
        places, place_index = self._place_finder.places(decoded, channels, answered_us)
        has_place = bool_column(isinstance(place, Place) for place in places)
        is_late = answered_us > np.maximum(received_us, now_us) + FUTURE_TOLERANCE_US
        is_countable = decoded.is_readable & has_place[place_index] & ~is_late
        is_countable[list(decoded.replaced_ids)] = False
        parkable: dict[int, Parkable] = {}
        for position in np.flatnonzero(~is_countable).tolist():
            place = places[place_index[position]]
            if not decoded.is_readable[position]:  # the questionnaire changed since it was accepted
                parkable[position] = self._unreadable(bodies[position])
            else:
                reason = _CORRECTION if position in decoded.replaced_ids else _LATE
                violation = place if isinstance(place, Violation) else reason
                parkable[position] = Parkable([violation], violation.code)
        return Judgement(
            _countable(decoded, places, place_index, answered_us, is_countable),
            parkable,
            digests(decoded, bodies),
        )

    def _unreadable(self, body: bytes) -> Parkable:
        violations = self._decoder.decode(body)
        if isinstance(violations, Submission):
            raise TypeError("readable by itself and not as columns")  # a fault of this program
        return Parkable(violations, violations[0].code)


class PresentJudge:
    """Gives the judge of the registry as a transaction sees it; it is made anew when it changed."""

    def __init__(self) -> None:
        self._judge = Judge(Registry.empty())

    def __call__(self, connection: sa.Connection) -> Judge:
        """Return the judge."""
        judge = self._judge
        version = stored_registry.read_version(connection)
        if version != judge.registry.version or not judge.registry.secret:
            # Two threads may judge and count: each keeps what it has seen itself.
            judge = self._judge = Judge(stored_registry.load_with_secret(connection))
        return judge


def _countable(
    decoded: DecodedSubmissions,
    places: Sequence[Place | Violation],
    place_index: IntColumn,
    answered_us: IntColumn,
    is_countable: BoolColumn,
) -> Sequence[CountableResponses]:
    """Return the countable submissions by questionnaire, each with the places that it needs."""
    countable = []
    for questionnaire, positions, scores in decoded.answers:
        is_chosen = is_countable[positions]
        if questionnaire is None or not is_chosen.any():
            continue
        chosen = positions[is_chosen]
        used, used_index = np.unique(place_index[chosen], return_inverse=True)
        countable.append(
            CountableResponses(
                questionnaire,
                chosen,
                [place for index in used.tolist() if isinstance(place := places[index], Place)],
                used_index,
                answered_us[chosen],
                scores[is_chosen],
                decoded.profiles[chosen],
                [decoded.comments[position] for position in chosen.tolist()],
                [decoded.points[position] for position in chosen.tolist()],
            )
        )
    return sorted(countable, key=lambda responses: responses.questionnaire.code)

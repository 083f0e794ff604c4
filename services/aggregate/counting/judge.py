"""Judges submissions by the registry, many at once and column by column: where each is counted, or why it is parked."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.aggregate.counting.decode import (
    BoolColumn,
    DecodedSubmissions,
    IntColumn,
    Numbers,
    decode,
    digest,
    digests,
    each,
    ints,
)
from shared.domain.questionnaire import Questionnaire
from shared.domain.violation import Violation
from shared.registry.snapshot import Registry
from shared.storage.responses import Place
from shared.wire import Destination, Memo, Submission, SubmissionDecoder

log = logging.getLogger(__name__)

_SLICE = (
    5000  # is judged at a time: so many fit into a core's cache, which makes a third of the speed
)

FUTURE_TOLERANCE_US = 24 * 3600 * 1_000_000
_BLOCK_US = 15 * 60 * 1_000_000
_BLOCKS_FROM_US = (
    10 * 366 * 24 * 3600 * 1_000_000
)  # 1980: since then every zone is a multiple of 15 minutes from UTC
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LATE = Violation("/submitted_at", "future-date", "lies more than 24 hours after its receipt")


class CountableResponses(NamedTuple):
    """Responses to one questionnaire, column by column."""

    questionnaire: Questionnaire
    at: IntColumn  # positions among what was judged
    places: Sequence[Place]
    place: IntColumn  # of each response, an index of `places`
    answered_us: IntColumn
    scores: NDArray[np.uint8]  # responses x unsur, ASCII digits; "-": not answered
    profiles: IntColumn  # of shared.domain.respondent.profile_code
    comments: Sequence[str | None]

    def take(self, indices: IntColumn) -> "CountableResponses":
        """The responses at these indices, in their order."""
        return self._replace(
            at=self.at[indices],
            place=self.place[indices],
            answered_us=self.answered_us[indices],
            scores=self.scores[indices],
            profiles=self.profiles[indices],
            comments=[self.comments[index] for index in indices.tolist()],
        )


class Parkable(NamedTuple):
    """A submission that must wait; `reason` is a stable code."""

    violations: Sequence[Violation]
    reason: str


UNCOUNTABLE = Parkable(
    [Violation("", "uncountable", "counting failed; the log says why")], "uncountable"
)


class Judgement(NamedTuple):
    """What becomes of submissions: each is in one of `countable` or in `parkable`, by its position."""

    countable: Sequence[CountableResponses]  # by questionnaire, in the order of their codes
    parkable: Mapping[int, Parkable]
    digests: IntColumn  # 32 bits, signed, of the content of each


class Judge:
    """The judgements of one registry snapshot. Remembers the places it has seen."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.decoder = SubmissionDecoder(registry)
        self._zone = registry.instansi.zone
        self._places: dict[
            tuple[str, str, str | None, int, str], tuple[Place, Questionnaire] | Violation
        ] = {}

    def judge(
        self,
        bodies: Sequence[bytes],
        channels: Sequence[str],
        received_us: Sequence[int] | IntColumn,
        now_us: int = 0,
    ) -> Judgement:
        """What becomes of submissions that came through these channels; `now_us`: when they are judged again."""
        received = np.asarray(received_us, dtype=np.int64)
        starts = range(0, len(bodies), _SLICE)
        cuts = [slice(start, start + _SLICE) for start in starts]
        return _together(
            [self._safely(bodies[cut], channels[cut], received[cut], now_us) for cut in cuts],
            starts,
        )

    def _safely(
        self, bodies: Sequence[bytes], channels: Sequence[str], received: IntColumn, now_us: int
    ) -> Judgement:
        """Judge together; should that fail, one by one, so that a fault that only one of them brings out parks one."""
        try:
            return self._slice(bodies, channels, received, now_us)
        except (ValueError, TypeError, ArithmeticError, LookupError):
            if len(bodies) == 1:
                log.exception("a submission cannot be judged: parked")
                return Judgement(
                    (), {0: UNCOUNTABLE}, np.asarray([digest(bodies[0])], dtype=np.int64)
                )
        alone = [slice(at, at + 1) for at in range(len(bodies))]
        return _together(
            [self._safely(bodies[one], channels[one], received[one], now_us) for one in alone],
            range(len(bodies)),
        )

    def _slice(
        self, bodies: Sequence[bytes], channels: Sequence[str], received: IntColumn, now_us: int
    ) -> Judgement:
        columns = decode(self.decoder, bodies)
        answered_us = np.where(columns.timed, columns.sent_us, received)
        found, place = self._placed(columns, channels, answered_us)
        refused = np.asarray([isinstance(one, Violation) for one in found], dtype=np.bool_)[place]
        late = answered_us > np.maximum(received, now_us) + FUTURE_TOLERANCE_US
        countable = columns.readable & ~refused & ~late
        parkable: dict[int, Parkable] = {}
        contents = digests(columns)
        for at in np.flatnonzero(~countable).tolist():
            one = found[place[at]]
            if not columns.readable[at]:  # the questionnaire changed since it was accepted
                parkable[at] = self._refused(bodies[at])
                contents[at] = digest(bodies[at])
            else:
                violation = one if isinstance(one, Violation) else _LATE
                parkable[at] = Parkable([violation], violation.code)
        return Judgement(
            _answered(columns, found, place, answered_us, countable), parkable, contents
        )

    def day(self, instant_us: int) -> date:
        """The local day of an instant (microseconds since 1970) in the instansi's zone."""
        return (_EPOCH + timedelta(microseconds=instant_us)).astimezone(self._zone).date()

    def _refused(self, body: bytes) -> Parkable:
        violations = self.decoder.decode(body)
        if isinstance(violations, Submission):
            raise TypeError("readable by itself and not as columns")  # a fault of this program
        return Parkable(violations, violations[0].code)

    def _placed(
        self, columns: DecodedSubmissions, channels: Sequence[str], answered_us: IntColumn
    ) -> tuple[Sequence[tuple[Place, Questionnaire] | Violation], IntColumn]:
        """The distinct places of submissions, or why there is none, and which one each has."""
        names: Numbers[str] = Numbers()
        channel = ints(each(names.__getitem__, channels), len(channels))
        channel_names = list(names)
        days, day = self._days(answered_us)
        codes = (columns.destination * len(names) + channel) * len(days) + day
        distinct, place = np.unique(codes, return_inverse=True)
        found = []
        for code in distinct.tolist():
            above, of_day = divmod(code, len(days))
            of_destination, of_channel = divmod(above, len(names))
            found.append(
                self._place(
                    columns.destinations[of_destination], days[of_day], channel_names[of_channel]
                )
            )
        return found, place

    def _days(self, instants_us: IntColumn) -> tuple[Sequence[date], IntColumn]:
        """The distinct local days of instants, and which one each has. A block of 15 minutes lies within one day."""
        begins = np.where(
            instants_us < _BLOCKS_FROM_US, instants_us, instants_us // _BLOCK_US * _BLOCK_US
        )
        blocks, block = np.unique(begins, return_inverse=True)
        numbers: Numbers[date] = Numbers()
        of_block = ints((numbers[self.day(begin)] for begin in blocks.tolist()), len(blocks))
        return list(numbers), of_block[block]

    def _place(
        self, destination: Destination | None, day: date, channel: str
    ) -> tuple[Place, Questionnaire] | Violation:
        if destination is None:
            return Violation("", "invalid", "holds a code that cannot be one")
        key = (destination.opd, destination.layanan, destination.named, day.toordinal(), channel)
        found = self._places.get(key)
        if found is None:
            if len(self._places) >= Memo.MOST:  # hostile codes must not fill the memory
                self._places.clear()
            found = self._places[key] = self._find(destination, day, channel)
        return found

    def _find(
        self, destination: Destination, day: date, channel: str
    ) -> tuple[Place, Questionnaire] | Violation:
        opd = self.registry.opd.get(destination.opd)
        if opd is None:
            return Violation("/opd", "unknown-opd", "is not in the registry")
        if not opd.is_open(day):
            return Violation("/opd", "closed-opd", "was not open on that day")
        layanan = opd.layanan.get(destination.layanan)
        if layanan is None:
            return Violation("/layanan", "unknown-layanan", "is not a service of this OPD")
        if not layanan.is_open(day):
            return Violation("/layanan", "closed-layanan", "was not open on that day")
        questionnaire = destination.answers_decoder.questionnaire
        if questionnaire is None:
            return Violation("/questionnaire", "unknown-questionnaire", "is not in the registry")
        return Place(opd.code, layanan.code, day, questionnaire.code, channel), questionnaire


def _answered(
    columns: DecodedSubmissions,
    found: Sequence[tuple[Place, Questionnaire] | Violation],
    place: IntColumn,
    answered_us: IntColumn,
    countable: BoolColumn,
) -> Sequence[CountableResponses]:
    results = []
    for questionnaire, at, scores in columns.answers:
        chosen = countable[at]
        if questionnaire is None or not chosen.any():
            continue
        here = [not isinstance(one, Violation) and one[1] is questionnaire for one in found]
        numbers = np.cumsum(here) - 1  # of the places of this questionnaire alone
        positions = at[chosen]
        results.append(
            CountableResponses(
                questionnaire,
                positions,
                [
                    one[0]
                    for one in found
                    if not isinstance(one, Violation) and one[1] is questionnaire
                ],
                numbers[place[positions]],
                answered_us[positions],
                scores[chosen],
                columns.profiles[positions],
                [columns.comments[index] for index in positions.tolist()],
            )
        )
    return sorted(results, key=lambda one: one.questionnaire.code)


def _together(judgements: Sequence[Judgement], starts: Sequence[int]) -> Judgement:
    """The judgement of slices that begin at these positions."""
    if len(judgements) == 1:
        return judgements[0]
    parts: dict[str, list[CountableResponses]] = {}
    parkable: dict[int, Parkable] = {}
    for judgement, start in zip(judgements, starts, strict=True):
        for one in judgement.countable:
            parts.setdefault(one.questionnaire.code, []).append(one._replace(at=one.at + start))
        parkable |= {at + start: one for at, one in judgement.parkable.items()}
    contents = [judgement.digests for judgement in judgements]
    return Judgement(
        [_joined(of_one) for _, of_one in sorted(parts.items())],
        parkable,
        np.concatenate(contents) if contents else np.empty(0, dtype=np.int64),
    )


def _joined(parts: Sequence[CountableResponses]) -> CountableResponses:
    numbers: Numbers[Place] = Numbers()
    place = [
        ints((numbers[one] for one in part.places), len(part.places))[part.place] for part in parts
    ]
    return CountableResponses(
        parts[0].questionnaire,
        np.concatenate([part.at for part in parts]),
        list(numbers),
        np.concatenate(place),
        np.concatenate([part.answered_us for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.profiles for part in parts]),
        [comment for part in parts for comment in part.comments],
    )

"""Judges a submission by the registry: where it is counted, or why it is parked."""

import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from shared.domain.check import Violation
from shared.domain.questionnaire import Questionnaire
from shared.registry import Registry
from shared.storage.responses import Place, Profile
from shared.wire import Submission, Wire

FUTURE_TOLERANCE_US = 24 * 3600 * 1_000_000
_BLOCK_US = 15 * 60 * 1_000_000
_BLOCKS_FROM_US = 10 * 366 * 24 * 3600 * 1_000_000  # 1980: since then every zone is a multiple of 15 minutes from UTC
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_NOBODY: Profile = (None, None, None, None)
_encode = msgspec.msgpack.Encoder().encode
_encode_sorted = msgspec.msgpack.Encoder(order="sorted").encode


class Countable(NamedTuple):
    """A submission that can be counted."""

    place: Place
    questionnaire: Questionnaire
    answered_us: int
    scores: str
    profile: Profile
    comment: str | None
    digest: int
    reason: str = ""


class Parkable(NamedTuple):
    """A submission that must wait; `reason` is a stable code."""

    violations: Sequence[Violation]
    reason: str
    digest: int


class Judge:
    """The judgements of one registry snapshot. Remembers the places it has seen."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.wire = Wire(registry)
        self._zone = registry.instansi.zone
        self._days: dict[int, date] = {}
        self._places: dict[tuple[str, str, str | None, date, str], tuple[Place, Questionnaire] | Violation] = {}

    def judge(self, body: bytes, channel: str, received_us: int, now_us: int = 0) -> Countable | Parkable:
        """What becomes of the submission in `body` that came through `channel`; `now_us`: when it is judged again."""
        submission = self.wire.read(body)
        if isinstance(submission, list):  # the questionnaire changed since it was accepted
            return Parkable(submission, submission[0].code, digest(body))
        answered_us = received_us if submission.submitted_at is None else _microseconds(submission.submitted_at)
        found = self._place(submission, self.day(answered_us), channel)
        if isinstance(found, Violation):
            return Parkable([found], found.code, _digest(submission))
        if answered_us > max(received_us, now_us) + FUTURE_TOLERANCE_US:
            late = Violation("/submitted_at", "future-date", "lies more than 24 hours after its receipt")
            return Parkable([late], late.code, _digest(submission))
        place, questionnaire = found
        return Countable(
            place,
            questionnaire,
            answered_us,
            submission.scores,
            _profile(submission),
            submission.comment,
            _digest(submission),
        )

    def day(self, instant_us: int) -> date:
        """The local day of an instant (microseconds since 1970) in the instansi's zone."""
        if instant_us < _BLOCKS_FROM_US:
            return self._exact_day(instant_us)
        block = instant_us // _BLOCK_US  # lies within one local day
        day = self._days.get(block)
        if day is None:
            day = self._days[block] = self._exact_day(instant_us)
        return day

    def _exact_day(self, instant_us: int) -> date:
        return (_EPOCH + timedelta(microseconds=instant_us)).astimezone(self._zone).date()

    def _place(self, submission: Submission, day: date, channel: str) -> tuple[Place, Questionnaire] | Violation:
        key = (submission.opd, submission.layanan, submission.questionnaire, day, channel)
        found = self._places.get(key)
        if found is None:
            if len(self._places) > 100_000:  # noqa: PLR2004 - hostile codes must not fill the memory
                self._places.clear()
            found = self._places[key] = self._find(submission, day, channel)
        return found

    def _find(self, submission: Submission, day: date, channel: str) -> tuple[Place, Questionnaire] | Violation:
        opd = self.registry.opd.get(submission.opd)
        if opd is None:
            return Violation("/opd", "unknown-opd", "is not in the registry")
        if not opd.is_open(day):
            return Violation("/opd", "closed-opd", "was not open on that day")
        layanan = opd.layanan.get(submission.layanan)
        if layanan is None:
            return Violation("/layanan", "unknown-layanan", "is not a service of this OPD")
        if not layanan.is_open(day):
            return Violation("/layanan", "closed-layanan", "was not open on that day")
        questionnaire = self.wire.questionnaire(submission)
        if questionnaire is None:
            return Violation("/questionnaire", "unknown-questionnaire", "is not in the registry")
        return Place(opd.code, layanan.code, day, questionnaire.code, channel), questionnaire


def digest(content: bytes) -> int:
    """32 bits that tell one content from another (not against malice: a sender owns its ids); signed for PostgreSQL."""
    return zlib.crc32(content) - 0x80000000


def _digest(submission: Submission) -> int:
    if submission.questionnaire is None:
        return digest(_encode(submission))
    # The questionnaire that it names may only be known later: nothing of how its answers are read may show.
    document = msgspec.to_builtins(submission)
    document["answers"] = {code: score for code, score in document["answers"].items() if score is not None}
    return digest(_encode_sorted(document))


def _microseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)


def _profile(submission: Submission) -> Profile:
    who = submission.respondent
    return _NOBODY if who is None else (who.sex, who.age, who.education, who.occupation)

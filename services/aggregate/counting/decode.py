"""Bodies → columns: many submissions decoded at once, for what is worked out for all of them in one sweep (numpy)."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from msgspec import Raw
from msgspec.structs import astuple
from numpy.typing import NDArray

from services.aggregate.counting import score_digits
from shared.domain.questionnaire import Questionnaire
from shared.wire import (
    AnswersDecoder,
    Destination,
    Submission,
    SubmissionDecoder,
    crcs,
    decode_members,
    plausible,
)

IntColumn = NDArray[np.int64]
BoolColumn = NDArray[np.bool_]
A = TypeVar("A")
B = TypeVar("B")
K = TypeVar("K")
_BREATH = 500
_UNREADABLE = Submission(opd="", layanan="", answers=Raw(b""))
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 by the golden ratio, odd
# Between them every time is plausible, in whatever offset it was given.
_EARLY_US = -2_208_900_000_000_000  # 1900-01-02T12:00Z
_FAR_US = 253_370_000_000_000_000  # 9998-12-28


def each(function: Callable[[A], B], values: Sequence[A]) -> list[B]:
    """The function of each value, as `map` has it, but not so many in one breath that other threads wait for it.

    `map` over a C function never lets go of the interpreter.
    """
    found: list[B] = []
    for at in range(0, len(values), _BREATH):
        found += map(function, values[at : at + _BREATH])
    return found


class Numbers(dict[K, int]):
    """The distinct values among many, numbered in the order in which they come."""

    def __missing__(self, value: K) -> int:
        """The next number."""
        number = self[value] = len(self)
        return number


class ScoreColumns(NamedTuple):
    """The answers to one questionnaire; `scores` as ASCII digits, "-": not answered."""

    questionnaire: Questionnaire | None
    at: IntColumn
    scores: NDArray[np.uint8]


class DecodedSubmissions(NamedTuple):
    """Submissions as they were read. `crcs` and `profiles` are negative where answers or respondent are not valid."""

    destinations: Sequence[Destination | None]
    destination: IntColumn
    sent_us: IntColumn  # 0: without a time of its own
    timed: BoolColumn
    answers: Sequence[ScoreColumns]
    crcs: IntColumn
    profiles: IntColumn
    comments: Sequence[str | None]
    comment_crcs: IntColumn
    readable: BoolColumn


def decode(decoder: SubmissionDecoder, bodies: Sequence[bytes]) -> DecodedSubmissions:
    """Read submissions, each a JSON document, by the rules of `SubmissionDecoder.decode`."""
    opds, layanan, answers, _, times, respondents, comments, named = zip(
        *each(astuple, _read(bodies)), strict=True
    )
    numbers: Numbers[tuple[str, str, str | None]] = Numbers()
    destination = ints(
        each(numbers.__getitem__, list(zip(opds, layanan, named, strict=True))), len(bodies)
    )
    destinations = [decoder.destination(*codes) for codes in numbers]
    profiles = ints(each(decoder.profiles.__getitem__, each(bytes, respondents)), len(bodies))
    score_columns, sums = _answers(destinations, destination, answers)
    timed = np.asarray([time is not None for time in times], dtype=np.bool_)
    seconds = np.asarray([0.0 if time is None else time.timestamp() for time in times])
    sent_us = np.rint(seconds * 1_000_000).astype(np.int64)
    known = np.asarray([one is not None for one in destinations], dtype=np.bool_)
    readable = (sums >= 0) & (profiles >= 0) & known[destination]
    for at in np.flatnonzero((sent_us < _EARLY_US) | (sent_us > _FAR_US)).tolist():
        if not plausible(times[at]):  # and no calendar need hold it
            readable[at], sent_us[at] = False, 0
    comment_crcs = np.asarray([comment is not None for comment in comments], dtype=np.int64)
    for at, comment in [(at, comment) for at, comment in enumerate(comments) if comment]:
        comment_crcs[at] = zlib.crc32(comment.encode()) + 2
        if "\0" in comment:
            readable[at] = False
    return DecodedSubmissions(
        destinations,
        destination,
        sent_us,
        timed,
        score_columns,
        sums,
        profiles,
        comments,
        comment_crcs,
        readable,
    )


def digests(columns: DecodedSubmissions) -> IntColumn:
    """Of what a submission says, however it is written and whatever the registry knows: not of its id and channel."""
    destinations = np.asarray(
        [0 if one is None else one.crc for one in columns.destinations], dtype=np.int64
    )[columns.destination]
    mixed = np.zeros(len(destinations), dtype=np.uint64)
    for part in (
        destinations,
        columns.sent_us,
        columns.timed,
        columns.crcs,
        columns.profiles,
        columns.comment_crcs,
    ):
        mixed = (mixed ^ part.astype(np.int64).view(np.uint64)) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(32)).astype(np.int64) - 0x80000000


def digest(content: bytes) -> int:
    """32 bits that tell one content from another (not against malice: a sender owns its ids); signed for PostgreSQL."""
    return zlib.crc32(content) - 0x80000000


def ints(values: Iterable[int], size: int) -> IntColumn:
    """So many numbers as an array."""
    return np.fromiter(values, dtype=np.int64, count=size)


def _read(bodies: Sequence[bytes]) -> list[Submission]:
    try:
        return each(decode_members, bodies)
    except (ValueError, RecursionError):
        return [_one(body) for body in bodies]


def _one(body: bytes) -> Submission:
    try:
        return decode_members(body)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _answers(
    destinations: Sequence[Destination | None], destination: IntColumn, raws: Sequence[Raw]
) -> tuple[Sequence[ScoreColumns], IntColumn]:
    """What the answers say, by questionnaire; and of each the sum of its CRCs, negative where they are not valid."""
    decoders: Numbers[AnswersDecoder] = Numbers()
    form_of = np.asarray(
        [-1 if one is None else decoders[one.answers_decoder] for one in destinations],
        dtype=np.int64,
    )[destination]
    sums = np.full(len(raws), -1, dtype=np.int64)
    found = []
    for answers_decoder, number in decoders.items():
        at = np.flatnonzero(form_of == number)
        these = raws if len(at) == len(raws) else [raws[index] for index in at.tolist()]
        scores, sums[at] = _scores(answers_decoder, these)
        found.append(ScoreColumns(answers_decoder.questionnaire, at, scores))
    return found, sums


def _scores(
    answers_decoder: AnswersDecoder, raws: Sequence[Raw]
) -> tuple[NDArray[np.uint8], IntColumn]:
    questionnaire = answers_decoder.questionnaire
    if questionnaire is None:
        unplaced = [_crc_of(answers_decoder.decode(raw)) for raw in raws]
        return np.empty((len(raws), 0), dtype=np.uint8), np.asarray(unplaced, dtype=np.int64)
    digits, valid = score_digits.digits(answers_decoder, each(bytes, raws), questionnaire.size)
    table = np.asarray([crcs(unsur.code) for unsur in questionnaire.unsur], dtype=np.int64)
    sums = np.where(valid, table[np.arange(questionnaire.size), digits].sum(axis=1), -1)
    return np.where(digits == 0, np.uint8(ord("-")), digits + np.uint8(ord("0"))), sums


def _crc_of(given: dict[str, int | None] | None) -> int:
    return -1 if given is None else sum(crcs(code)[score or 0] for code, score in given.items())

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
from shared.wire import Form, Service, Submission, Wire, crcs, decode, plausible

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
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


class Answers(NamedTuple):
    """The answers to one questionnaire; `scores` as ASCII digits, "-": not answered."""

    questionnaire: Questionnaire | None
    at: Ints
    scores: NDArray[np.uint8]


class Columns(NamedTuple):
    """Submissions as they were read. `crcs` and `profiles` are negative where answers or respondent are not valid."""

    services: Sequence[Service | None]
    service: Ints
    sent_us: Ints  # 0: without a time of its own
    timed: Bools
    answers: Sequence[Answers]
    crcs: Ints
    profiles: Ints
    comments: Sequence[str | None]
    comment_crcs: Ints
    readable: Bools


def read(wire: Wire, bodies: Sequence[bytes]) -> Columns:
    """Read submissions, each a JSON document, by the rules of `Wire.read`."""
    opds, layanan, answers, _, times, respondents, comments, named = zip(
        *each(astuple, _read(bodies)), strict=True
    )
    numbers: Numbers[tuple[str, str, str | None]] = Numbers()
    service = ints(
        each(numbers.__getitem__, list(zip(opds, layanan, named, strict=True))), len(bodies)
    )
    services = [wire.service(*codes) for codes in numbers]
    profiles = ints(each(wire.profiles.__getitem__, each(bytes, respondents)), len(bodies))
    of_forms, sums = _answers(services, service, answers)
    timed = np.asarray([time is not None for time in times], dtype=np.bool_)
    seconds = np.asarray([0.0 if time is None else time.timestamp() for time in times])
    sent_us = np.rint(seconds * 1_000_000).astype(np.int64)
    known = np.asarray([one is not None for one in services], dtype=np.bool_)
    readable = (sums >= 0) & (profiles >= 0) & known[service]
    for at in np.flatnonzero((sent_us < _EARLY_US) | (sent_us > _FAR_US)).tolist():
        if not plausible(times[at]):  # and no calendar need hold it
            readable[at], sent_us[at] = False, 0
    comment_crcs = np.asarray([comment is not None for comment in comments], dtype=np.int64)
    for at, comment in [(at, comment) for at, comment in enumerate(comments) if comment]:
        comment_crcs[at] = zlib.crc32(comment.encode()) + 2
        if "\0" in comment:
            readable[at] = False
    return Columns(
        services,
        service,
        sent_us,
        timed,
        of_forms,
        sums,
        profiles,
        comments,
        comment_crcs,
        readable,
    )


def digests(columns: Columns) -> Ints:
    """Of what a submission says, however it is written and whatever the registry knows: not of its id and channel."""
    services = np.asarray(
        [0 if one is None else one.crc for one in columns.services], dtype=np.int64
    )[columns.service]
    mixed = np.zeros(len(services), dtype=np.uint64)
    for part in (
        services,
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


def ints(values: Iterable[int], size: int) -> Ints:
    """So many numbers as an array."""
    return np.fromiter(values, dtype=np.int64, count=size)


def _read(bodies: Sequence[bytes]) -> list[Submission]:
    try:
        return each(decode, bodies)
    except (ValueError, RecursionError):
        return [_one(body) for body in bodies]


def _one(body: bytes) -> Submission:
    try:
        return decode(body)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _answers(
    services: Sequence[Service | None], service: Ints, raws: Sequence[Raw]
) -> tuple[Sequence[Answers], Ints]:
    """What the answers say, by questionnaire; and of each the sum of its CRCs, negative where they are not valid."""
    forms: Numbers[Form] = Numbers()
    form_of = np.asarray(
        [-1 if one is None else forms[one.form] for one in services], dtype=np.int64
    )[service]
    sums = np.full(len(raws), -1, dtype=np.int64)
    found = []
    for form, number in forms.items():
        at = np.flatnonzero(form_of == number)
        these = raws if len(at) == len(raws) else [raws[index] for index in at.tolist()]
        scores, sums[at] = _scores(form, these)
        found.append(Answers(form.questionnaire, at, scores))
    return found, sums


def _scores(form: Form, raws: Sequence[Raw]) -> tuple[NDArray[np.uint8], Ints]:
    questionnaire = form.questionnaire
    if questionnaire is None:
        unplaced = [_crc_of(form.read(raw)) for raw in raws]
        return np.empty((len(raws), 0), dtype=np.uint8), np.asarray(unplaced, dtype=np.int64)
    digits, valid = score_digits.digits(form, each(bytes, raws), questionnaire.size)
    table = np.asarray([crcs(unsur.code) for unsur in questionnaire.unsur], dtype=np.int64)
    sums = np.where(valid, table[np.arange(questionnaire.size), digits].sum(axis=1), -1)
    return np.where(digits == 0, np.uint8(ord("-")), digits + np.uint8(ord("0"))), sums


def _crc_of(given: dict[str, int | None] | None) -> int:
    return -1 if given is None else sum(crcs(code)[score or 0] for code, score in given.items())

"""The responses: one row per counted questionnaire, written by COPY."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from shared.storage import binary
from shared.storage.receipts import Cursor

_COPY = (
    "COPY response (receipt, opd, layanan, day, questionnaire, channel, answered_at, scores, "
    "sex, age, education, occupation, comment) FROM STDIN (FORMAT BINARY)"
)
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_ROW = (13).to_bytes(2, "big") + binary.LENGTH_16


class Place(NamedTuple):
    """Where a response is counted: the part of a row that many responses share."""

    opd: str
    layanan: str
    day: date
    questionnaire: str
    channel: str


# What a respondent said of themself: sex, age, education, occupation. A plain tuple: one is made per response.
Profile = tuple[str | None, int | None, str | None, str | None]


class Response(NamedTuple):
    """One row of `response`. `answered_us`: microseconds since 1970; `scores`: digits in questionnaire order."""

    receipt: bytes
    place: Place
    answered_us: int
    scores: str
    profile: Profile
    comment: str | None


def copy(cursor: Cursor, responses: Iterable[Response]) -> None:
    """Write the responses; their receipts must be new."""
    with cursor.copy(_COPY) as stream:
        stream.write(_SIGNATURE + b"".join(map(_row, responses)) + _TRAILER)


def _row(response: Response) -> bytes:
    receipt, place, answered_us, scores, profile, comment = response
    return b"".join(
        (
            _ROW,
            receipt,
            _place(place),
            binary.instant(answered_us),
            binary.text(scores),
            _profile(profile),
            binary.NULL if comment is None else binary.text(comment),
        )
    )


@lru_cache(maxsize=65536)
def _place(place: Place) -> bytes:
    opd, layanan, day, questionnaire, channel = place
    return b"".join(
        (binary.text(opd), binary.text(layanan), binary.day(day), binary.text(questionnaire), binary.text(channel))
    )


@lru_cache(maxsize=65536)
def _profile(profile: Profile) -> bytes:
    sex, age, education, occupation = profile
    return binary.text(sex) + binary.smallint(age) + binary.text(education) + binary.text(occupation)

"""The responses: one row per counted questionnaire, written by COPY."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple, Protocol

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


class Answers(Protocol):
    """What a row holds beside its receipt."""

    @property
    def place(self) -> Place:
        """Where it is counted."""

    @property
    def answered_us(self) -> int:
        """Microseconds since 1970."""

    @property
    def scores(self) -> str:
        """Digits in questionnaire order."""

    @property
    def profile(self) -> Profile:
        """Of the respondent."""

    @property
    def comment(self) -> str | None:
        """Free text."""


def copy(cursor: Cursor, rows: Sequence[bytes]) -> None:
    """Write rows that `row` made; their receipts must be new."""
    with cursor.copy(_COPY) as stream:
        stream.write(_SIGNATURE + b"".join(rows) + _TRAILER)


def row(receipt: bytes, answers: Answers) -> bytes:
    """One row of the table, as COPY takes it; the receipt has 16 bytes."""
    comment = answers.comment
    return b"".join(
        (
            _ROW,
            receipt,
            _place(answers.place),
            binary.instant(answers.answered_us),
            binary.text(answers.scores),
            _profile(answers.profile),
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

"""The responses: one row per counted questionnaire, written by COPY."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.respondent import profile_of
from shared.storage import binary
from shared.storage.cursor import Cursor

_COPY = (
    "COPY response (receipt, answered_at, scores, opd, layanan, day, questionnaire, channel, "
    "sex, age, education, occupation, comment) FROM STDIN (FORMAT BINARY)"
)
_ROW = (13).to_bytes(2, "big") + binary.LENGTH_16


class Place(NamedTuple):
    """Where a response is counted: the part of a row that many responses share."""

    opd: str
    layanan: str
    day: date
    questionnaire: str
    channel: str


class ResponseColumns(NamedTuple):
    """Responses, column by column.

    `receipts`: 16 bytes each; `answered_us`: microseconds since 1970; `scores`: responses x unsur,
    ASCII digits; `profiles`: of shared.domain.respondent.profile_code.
    """

    receipts: bytes
    answered_us: NDArray[np.int64]
    scores: NDArray[np.uint8]
    places: Sequence[Place]
    place: Sequence[int]  # of each response, an index of `places`
    profiles: Sequence[int]
    comments: Sequence[str | None]


def encode_rows(columns: ResponseColumns) -> bytes:
    """Rows of the table, as COPY takes them."""
    size, unsur = columns.scores.shape
    heads = binary.records(
        size,
        [
            _ROW,
            binary.uuid_matrix(columns.receipts),
            binary.LENGTH_8,
            binary.instant_matrix(columns.answered_us),
            binary.length(unsur),
            columns.scores,
        ],
    )
    places = list(map(_place, columns.places))
    place = [places[number] for number in columns.place]
    comments = [
        binary.NULL if comment is None else binary.text(comment) for comment in columns.comments
    ]
    return binary.together(heads, place, map(_profile, columns.profiles), comments)


def copy(cursor: Cursor, encoded: bytes) -> None:
    """Write rows that `encode_rows` made; their receipts must be new."""
    binary.copy(cursor, _COPY, encoded)


def _place(place: Place) -> bytes:
    opd, layanan, day, questionnaire, channel = place
    return b"".join(
        (
            binary.text(opd),
            binary.text(layanan),
            binary.day(day),
            binary.text(questionnaire),
            binary.text(channel),
        )
    )


@lru_cache(maxsize=65536)
def _profile(profile: int) -> bytes:
    sex, age, education, occupation = profile_of(profile)
    return (
        binary.text(sex) + binary.smallint(age) + binary.text(education) + binary.text(occupation)
    )

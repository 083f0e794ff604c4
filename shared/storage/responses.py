"""The responses: one row per counted questionnaire, written by COPY."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.respondent import profile_of
from shared.storage import binary
from shared.storage.cursor import Cursor, copy_rows

# Write new responses; one whose receipt is there already fails the statement.
_COPY = """
COPY response (receipt, answered_at, scores, opd, layanan, day, questionnaire, channel,
  sex, age, education, occupation, comment, point)
FROM STDIN (FORMAT BINARY)
"""
_ROW_HEAD = (14).to_bytes(2, "big") + binary.LENGTH_16  # fourteen fields, the first of 16 bytes


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
    ASCII digits; `place_indices`: of each response, an index of `places`; `profile_codes`: of
    shared.domain.respondent.profile_code.
    """

    receipts: bytes
    answered_us: NDArray[np.int64]
    scores: NDArray[np.uint8]
    places: Sequence[Place]
    place_indices: Sequence[int]
    profile_codes: Sequence[int]
    comments: Sequence[str | None]
    points: Sequence[str | None]


def encode_rows(columns: ResponseColumns) -> bytes:
    """Return rows of the table as COPY takes them."""
    size, unsur = columns.scores.shape
    heads = binary.fixed_rows(
        size,
        [
            _ROW_HEAD,
            binary.uuid_matrix(columns.receipts),
            binary.LENGTH_8,
            binary.instant_matrix(columns.answered_us),
            binary.field_length(unsur),
            columns.scores,
        ],
    )
    encoded_places = [_encode_place(place) for place in columns.places]
    places = [encoded_places[index] for index in columns.place_indices]
    profiles = map(_encode_profile, columns.profile_codes)
    comments = [
        binary.NULL if comment is None else binary.text_field(comment)
        for comment in columns.comments
    ]
    return binary.interleave(
        heads, places, profiles, comments, map(binary.code_field, columns.points)
    )


def copy(cursor: Cursor, encoded_rows: bytes) -> None:
    """Write rows that `encode_rows` made; their receipts must be new."""
    copy_rows(cursor, _COPY, encoded_rows)


def _encode_place(place: Place) -> bytes:
    opd, layanan, day, questionnaire, channel = place
    return b"".join(
        (
            binary.text_field(opd),
            binary.text_field(layanan),
            binary.date_field(day),
            binary.text_field(questionnaire),
            binary.text_field(channel),
        )
    )


@lru_cache(maxsize=65536)
def _encode_profile(profile_code: int) -> bytes:
    sex, age, education, occupation = profile_of(profile_code)
    return b"".join(
        (
            binary.text_field(sex),
            binary.int2_field(age),
            binary.text_field(education),
            binary.text_field(occupation),
        )
    )

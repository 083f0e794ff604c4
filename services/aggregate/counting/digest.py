"""The digests of many submissions at once."""

from collections.abc import Sequence

import numpy as np

from services.aggregate.counting.columns import IntColumn
from services.aggregate.counting.decode import DecodedSubmissions, ScoreColumns
from shared.domain.questionnaire import Questionnaire
from shared.domain.submission.content import (
    COMMENTED,
    DESTINATION_BYTES,
    DIGEST_BYTES,
    HEAD,
    POINTED,
    REPLACING,
    SEPARATOR,
    TIMED,
    Texts,
    code_bytes,
    destination_bytes,
    digest_column,
)
from shared.storage import binary
from shared.storage.binary import Matrix
from shared.wire import digest_of

_HEAD_BYTES = DESTINATION_BYTES + HEAD.size
_NOT_ANSWERED = ord("-")


def digests(decoded: DecodedSubmissions, bodies: Sequence[bytes]) -> IntColumn:
    """Return the digest of each, as `digest_of` does, in a tenth of the time.

    What cannot be read by this registry goes the long way.
    """
    column = np.empty(len(bodies), dtype=np.int64)
    is_left = np.ones(len(bodies), dtype=np.bool_)
    for answers in decoded.answers:
        readable = _readable(answers, decoded)
        if readable.questionnaire is not None and len(readable.positions):
            contents = _contents(readable.questionnaire, readable, decoded)
            digests = np.frombuffer(digest_column(contents), dtype=f"<i{DIGEST_BYTES}")
            column[readable.positions] = digests
            is_left[readable.positions] = False
    left = np.flatnonzero(is_left)
    column[left] = [digest_of(bodies[position]) for position in left.tolist()]
    return column


def _readable(answers: ScoreColumns, decoded: DecodedSubmissions) -> ScoreColumns:
    is_readable = decoded.is_readable[answers.positions]
    if is_readable.all():
        return answers
    return ScoreColumns(
        answers.questionnaire, answers.positions[is_readable], answers.scores[is_readable]
    )


def _contents(
    questionnaire: Questionnaire, answers: ScoreColumns, decoded: DecodedSubmissions
) -> list[bytes]:
    """Return the contents of readable submissions."""
    positions, size = answers.positions, len(answers.positions)
    codes = [unsur.code for unsur in questionnaire.unsur]
    in_order = sorted(range(len(codes)), key=codes.__getitem__)
    scores = answers.scores[:, in_order]
    pieces: list[bytes | Matrix] = [*_heads(decoded, positions)]
    for index, unsur in enumerate(in_order):
        pieces += (code_bytes(codes[unsur]), scores[:, index : index + 1])
    contents = binary.fixed_rows(size, [*pieces, SEPARATOR])
    is_incomplete = (scores == _NOT_ANSWERED).any(axis=1)
    for index in np.flatnonzero(is_incomplete).tolist():
        answered = [
            code_bytes(codes[unsur]) + bytes([score])
            for unsur, score in zip(in_order, scores[index].tolist(), strict=True)
            if score != _NOT_ANSWERED
        ]
        contents[index] = contents[index][:_HEAD_BYTES] + b"".join(answered) + SEPARATOR
    for index in np.flatnonzero(_flags(decoded)[positions] > TIMED).tolist():
        position = positions[index]
        texts = Texts(
            decoded.comments[position],
            decoded.points[position],
            decoded.replaced_ids.get(int(position)),
        )
        contents[index] += texts.encoded()
    return contents


def _heads(decoded: DecodedSubmissions, positions: IntColumn) -> tuple[Matrix, ...]:
    """Return what precedes the answers: destination, time, profile, flags."""
    destinations = b"".join(
        bytes(DESTINATION_BYTES)
        if destination is None
        else destination_bytes(destination.opd, destination.layanan, destination.named)
        for destination in decoded.destinations
    )
    destination_matrix = np.frombuffer(destinations, dtype=np.uint8).reshape(-1, DESTINATION_BYTES)
    return (
        destination_matrix[decoded.destination_index[positions]],
        _little_endian(decoded.sent_us[positions]),
        _little_endian(decoded.profiles[positions]),
        _flags(decoded)[positions].astype(np.uint8).reshape(-1, 1),
    )


def _flags(decoded: DecodedSubmissions) -> IntColumn:
    """Return which of the members that may be absent each submission has."""
    flags = decoded.is_timed * TIMED + decoded.is_commented * COMMENTED
    flags += decoded.is_pointed * POINTED
    flags[list(decoded.replaced_ids)] += REPLACING
    return flags


def _little_endian(column: IntColumn) -> Matrix:
    return column.astype("<i8").view(np.uint8).reshape(-1, 8)

"""Bodies → columns: submissions decoded, for what is worked out for all of them in one sweep."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import Raw
from msgspec.structs import astuple

from services.aggregate.counting.columns import (
    BoolColumn,
    IntColumn,
    ScoreMatrix,
    bool_column,
    int_column,
    numbered,
)
from shared.domain.questionnaire import Questionnaire
from shared.wire import (
    AnswersDecoder,
    Destination,
    Submission,
    SubmissionDecoder,
    decode_members,
    is_plausible,
)

_UNREADABLE = Submission(opd="", layanan="", answers=Raw(b""))
# Between them every time is plausible, in whatever offset it was given.
_EARLY_US = -2_208_900_000_000_000  # 1900-01-02T12:00Z
_FAR_US = 253_370_000_000_000_000  # 9998-12-28


class ScoreColumns(NamedTuple):
    """The answers to one questionnaire; `positions` are those of their submissions."""

    questionnaire: Questionnaire | None
    positions: IntColumn
    scores: ScoreMatrix


class DecodedSubmissions(NamedTuple):
    """Submissions as they were read, column by column."""

    destinations: Sequence[Destination | None]
    destination_index: IntColumn
    sent_us: IntColumn  # 0: without a time of its own
    is_timed: BoolColumn
    answers: Sequence[ScoreColumns]  # a submission is in one of them, or has no destination
    profiles: IntColumn  # of shared.domain.respondent.profile_code
    comments: Sequence[str | None]
    is_commented: BoolColumn
    points: Sequence[str | None]
    is_pointed: BoolColumn
    replaced_ids: Mapping[int, str]  # by position: of the few that replace another
    is_readable: BoolColumn


def decode(decoder: SubmissionDecoder, bodies: Sequence[bytes]) -> DecodedSubmissions:
    """Read submissions, each a JSON document, by the rules of `SubmissionDecoder.decode`."""
    submissions = [_members(body) for body in bodies]
    codes, destination_index = numbered(
        [
            (submission.opd, submission.layanan, submission.questionnaire)
            for submission in submissions
        ]
    )
    destinations = [decoder.destination(*triple) for triple in codes]
    has_destination = bool_column(destination is not None for destination in destinations)
    answers, has_answers = _answers(destinations, destination_index, submissions)
    respondents, respondent_index = numbered([submission.respondent for submission in submissions])
    profiles = int_column(
        0 if respondent is None else respondent.profile() for respondent in respondents
    )
    comments = [submission.comment for submission in submissions]
    is_commented = bool_column(comment is not None for comment in comments)
    points = [submission.point for submission in submissions]
    replaced_ids = {
        position: submission.replaces
        for position, submission in enumerate(submissions)
        if submission.replaces is not None
    }
    sent_us, is_plausibly_timed = _times(submissions)
    return DecodedSubmissions(
        destinations,
        destination_index,
        sent_us,
        bool_column(submission.submitted_at is not None for submission in submissions),
        answers,
        profiles[respondent_index],
        comments,
        is_commented,
        points,
        bool_column(point is not None for point in points),
        replaced_ids,
        has_answers
        & has_destination[destination_index]
        & is_plausibly_timed
        & _are_storable(comments, is_commented)
        & _name_storable(replaced_ids, len(submissions)),
    )


def _members(body: bytes) -> Submission:
    try:
        return decode_members(body)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _times(submissions: Sequence[Submission]) -> tuple[IntColumn, BoolColumn]:
    """Return when submissions say that they were sent, and which say something plausible."""
    times = [submission.submitted_at for submission in submissions]
    seconds = np.asarray([0.0 if time is None else time.timestamp() for time in times])
    # As shared.wire.instant_us does it for one.
    sent_us = np.rint(seconds * 1_000_000).astype(np.int64)
    is_possible = np.ones(len(times), dtype=np.bool_)
    for position in np.flatnonzero((sent_us < _EARLY_US) | (sent_us > _FAR_US)).tolist():
        is_possible[position] = is_plausible(times[position])
    return np.where(is_possible, sent_us, 0), is_possible  # no calendar need hold the others


def _are_storable(comments: Sequence[str | None], is_commented: BoolColumn) -> BoolColumn:
    """Return which comments PostgreSQL's text can hold."""
    is_storable = np.ones(len(comments), dtype=np.bool_)
    for position in np.flatnonzero(is_commented).tolist():
        is_storable[position] = "\0" not in (comments[position] or "")
    return is_storable


def _name_storable(replaced_ids: Mapping[int, str], size: int) -> BoolColumn:
    """Return which submissions replace nothing, or what PostgreSQL's text can name."""
    is_storable = np.ones(size, dtype=np.bool_)
    for position, replaced_id in replaced_ids.items():
        is_storable[position] = "\0" not in replaced_id
    return is_storable


def _answers(
    destinations: Sequence[Destination | None],
    destination_index: IntColumn,
    submissions: Sequence[Submission],
) -> tuple[Sequence[ScoreColumns], BoolColumn]:
    """Return the answers by questionnaire, and which submissions have valid ones."""
    decoders, decoder_index = numbered(
        [
            None if destination is None else destination.answers_decoder
            for destination in destinations
        ]
    )
    decoder_of_each = decoder_index[destination_index]
    has_answers = np.zeros(len(submissions), dtype=np.bool_)
    answers = []
    for index, decoder in enumerate(decoders):
        if decoder is not None:
            positions = np.flatnonzero(decoder_of_each == index)
            raws = [submissions[position].answers for position in positions.tolist()]
            scores, has_answers[positions] = _scores(decoder, raws)
            answers.append(ScoreColumns(decoder.questionnaire, positions, scores))
    return answers, has_answers


def _scores(decoder: AnswersDecoder, raws: Sequence[Raw]) -> tuple[ScoreMatrix, BoolColumn]:
    questionnaire, answers = decoder.questionnaire, list(map(decoder.decode, raws))
    is_valid = bool_column(answer is not None for answer in answers)
    size = questionnaire.size if questionnaire else 0
    digits = np.zeros((len(raws), size), dtype=np.uint8)  # 0: not answered
    if questionnaire is not None:
        digits[is_valid] = _digits([answer for answer in answers if answer is not None], size)
    return np.where(digits == 0, np.uint8(ord("-")), digits + np.uint8(ord("0"))), is_valid


def _digits(answers: Sequence[Any], size: int) -> ScoreMatrix:
    """Return the scores of valid answers as numbers."""
    rows = list(map(astuple, answers))
    try:
        digits = b"".join(map(bytes, rows))
    except TypeError:  # None: an unsur that need not be answered
        digits = bytes(score or 0 for row in rows for score in row)
    return np.frombuffer(digits, dtype=np.uint8).reshape(len(answers), size)

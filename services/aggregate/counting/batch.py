"""Claimed entries as columns: everything about a batch that can be worked out without the database.

Columns lie in the order of arrival, in which the bodies lie in memory; rows are written in the
order of receipts.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np

from services.aggregate.counting.columns import IntColumn, int_column
from services.aggregate.counting.judge import Judge
from services.aggregate.counting.judgement import (
    CountableResponses,
    Judgement,
    Parkable,
    park_all,
)
from services.aggregate.counting.tally import tally
from shared.domain.submission.identity import (
    RECEIPT_BYTES,
    RECEIPT_VERSION,
    VERSION_BYTE,
    ReceiptMaker,
)
from shared.domain.violation import Violation
from shared.inbox.entry import FOREIGN_CHANNEL, Entry, Parcel, Parcels
from shared.storage import receipts, responses
from shared.storage.receipts import ReceiptColumns
from shared.storage.tallies.day_tally import Deltas

_UNREADABLE = "unreadable-entry"
_FOREIGN = Parkable(
    [Violation("", _UNREADABLE, "an inbox entry that this service did not write")], _UNREADABLE
)


class SubmissionColumns(NamedTuple):
    """Submissions, column by column, in the order of arrival."""

    entry_index: IntColumn  # in the batch's entries
    receipts: bytes  # 16 bytes each
    channels: Sequence[str]
    ids: Sequence[str]
    received_us: IntColumn
    bodies: Sequence[bytes]

    def receipt(self, position: int) -> bytes:
        """Return the receipt at a position."""
        return self.receipts[RECEIPT_BYTES * position : RECEIPT_BYTES * (position + 1)]

    def receipt_columns(self, positions: IntColumn, digests: IntColumn) -> ReceiptColumns:
        """Return what the table `receipt` holds of the submissions at these positions."""
        return ReceiptColumns(
            receipts_at(self.receipts, positions),
            self.received_us[positions],
            digests[positions],
            [self.channels[position] for position in positions.tolist()],
            [self.ids[position] for position in positions.tolist()],
        )


class NewRows(NamedTuple):
    """What is written for those of a batch's submissions that are new."""

    receipts: bytes  # rows of the table `receipt`, in the order of receipts
    responses: bytes  # rows of the table `response`, likewise
    # In the order of questionnaires: else two workers could wait for each other.
    deltas: Sequence[Deltas]


class Batch(NamedTuple):
    """Claimed entries, judged, and the rows that they become when all are new, as mostly."""

    epoch: UUID  # the life of the inbox that they were claimed in
    receipt_maker: ReceiptMaker
    entries: Sequence[Entry]
    submissions: SubmissionColumns
    judgement: Judgement
    # Positions in the order of receipts; of equal ones the first that came stays the first.
    receipt_order: IntColumn
    rows: NewRows
    registry_version: int | None = None  # by which they were judged; None: by none

    @property
    def size(self) -> int:
        """Return how many submissions it holds."""
        return len(self.submissions.ids)


def judged(judge: Judge, entries: Iterable[Entry], epoch: UUID) -> Batch:
    """Return the batch of entries, judged; an entry that was claimed twice counts once."""
    distinct, receipt_maker = _distinct(entries), judge.receipt_maker
    submissions = _columns(distinct, receipt_maker)
    judgement = judge.judge(submissions.bodies, submissions.channels, submissions.received_us)
    batch = _batch(epoch, receipt_maker, distinct, submissions, judgement)
    return batch._replace(registry_version=judge.registry.version)


def quarantined(entry: Entry, epoch: UUID, receipt_maker: ReceiptMaker) -> Batch:
    """Return a batch that parks all of an entry: for one whose counting fails again and again."""
    submissions = _columns([entry], receipt_maker)
    judgement = park_all(submissions.bodies)
    return _batch(epoch, receipt_maker, [entry], submissions, judgement)


def new_rows(submissions: SubmissionColumns, judgement: Judgement, positions: IntColumn) -> NewRows:
    """Return what is written when the submissions at these positions, in receipt order, are new."""
    reasons = {
        index: judgement.parkable[position].reason
        for index, position in enumerate(positions.tolist())
        if position in judgement.parkable
    }
    countable = [
        counted.take(_indices_of(positions, counted.positions, len(submissions.ids)))
        for counted in judgement.countable
    ]
    return NewRows(
        receipts.encode_rows(submissions.receipt_columns(positions, judgement.digests), reasons),
        response_rows(submissions.receipts, countable),
        deltas_of(countable),
    )


def response_rows(receipt_column: bytes, countable: Iterable[CountableResponses]) -> bytes:
    """Return rows of the table `response`; the receipts are those of everything that was judged."""
    return b"".join(
        responses.encode_rows(
            responses.ResponseColumns(
                receipts_at(receipt_column, counted.positions),
                counted.answered_us,
                counted.scores,
                counted.places,
                counted.place_index.tolist(),
                counted.profiles.tolist(),
                counted.comments,
                counted.points,
            )
        )
        for counted in countable
    )


def deltas_of(countable: Iterable[CountableResponses]) -> Sequence[Deltas]:
    """Return what responses add to the tallies."""
    return [
        tally(
            counted.questionnaire,
            counted.places,
            counted.place_index,
            counted.profiles,
            counted.scores,
        )
        for counted in countable
        if len(counted.positions)
    ]


def receipts_at(receipt_column: bytes, positions: IntColumn) -> bytes:
    """Return the receipts at these positions, 16 bytes each."""
    return np.frombuffer(receipt_column, dtype=f"V{RECEIPT_BYTES}")[positions].tobytes()


def _batch(
    epoch: UUID,
    receipt_maker: ReceiptMaker,
    entries: Sequence[Entry],
    submissions: SubmissionColumns,
    judgement: Judgement,
) -> Batch:
    judgement = _without_foreign(entries, submissions, judgement)
    receipt_texts = np.frombuffer(submissions.receipts, dtype=f"S{RECEIPT_BYTES}")
    order = np.argsort(receipt_texts, kind="stable")
    rows = new_rows(submissions, judgement, order)
    return Batch(epoch, receipt_maker, entries, submissions, judgement, order, rows)


def _distinct(entries: Iterable[Entry]) -> Sequence[Entry]:
    return list({entry.entry: entry for entry in entries}.values())


def _columns(entries: Sequence[Entry], receipt_maker: ReceiptMaker) -> SubmissionColumns:
    """Return the submissions of entries."""
    contents = [entry.parcels or _foreign(entry) for entry in entries]
    sizes = int_column(size for parcels in contents for size in parcels.sizes)
    parcel_index = np.repeat(np.arange(len(sizes)), sizes)
    channels = [channel for parcels in contents for channel in parcels.channels]
    received_us = int_column(
        instant_us for parcels in contents for instant_us in parcels.received_us
    )
    entry_sizes = int_column(len(parcels.ids) for parcels in contents)
    return SubmissionColumns(
        np.repeat(np.arange(len(contents)), entry_sizes),
        b"".join([_receipts(parcels, receipt_maker) for parcels in contents]),
        [channels[index] for index in parcel_index.tolist()],
        [source_id for parcels in contents for source_id in parcels.ids],
        received_us[parcel_index],
        [body for parcels in contents for body in parcels.bodies],
    )


def _receipts(parcels: Parcels, receipt_maker: ReceiptMaker) -> bytes:
    """Return the receipts of an entry, made anew when they do not follow from the secret.

    So it is with what was in the inbox when receipts began to, and with foreign entries.
    """
    versions = np.frombuffer(parcels.receipts, dtype=np.uint8)[VERSION_BYTE::RECEIPT_BYTES] >> 4
    if (versions == RECEIPT_VERSION).all():
        return parcels.receipts
    return receipt_maker.all_receipts((parcel.channel, parcel.ids) for parcel in parcels)


def _foreign(entry: Entry) -> Parcels:
    """Return what somebody else put into the inbox as a submission that will be parked."""
    received_us, source_id = entry.position[0] * 1000, entry.stream_id.decode()
    return Parcels.of(
        [Parcel(FOREIGN_CHANNEL, received_us, entry.entry.bytes, [source_id], [entry.raw])]
    )


def _without_foreign(
    entries: Sequence[Entry], submissions: SubmissionColumns, judgement: Judgement
) -> Judgement:
    """Return the judgement that parks what this product did not write, whatever it looks like."""
    foreign_entries = [index for index, entry in enumerate(entries) if entry.parcels is None]
    if not foreign_entries:
        return judgement
    is_foreign = np.isin(submissions.entry_index, foreign_entries)
    return Judgement(
        [
            counted.take(np.flatnonzero(~is_foreign[counted.positions]))
            for counted in judgement.countable
        ],
        {**judgement.parkable, **dict.fromkeys(np.flatnonzero(is_foreign).tolist(), _FOREIGN)},
        np.where(is_foreign, park_all(submissions.bodies).digests, judgement.digests),
    )


def _indices_of(wanted: IntColumn, positions: IntColumn, size: int) -> IntColumn:
    """Return where the wanted positions, those that are there, stand in `positions`."""
    index_of = np.full(size, -1, dtype=np.int64)
    index_of[positions] = np.arange(len(positions))
    indices = index_of[wanted]
    return indices[indices >= 0]

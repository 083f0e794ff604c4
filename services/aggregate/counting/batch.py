"""Claimed entries as columns: everything about a batch that can be worked out without the database.

SubmissionColumns lie in the order of arrival, in which the bodies lie in memory; rows are written in the
order of receipts.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np

from services.aggregate.counting.decode import BoolColumn, IntColumn, digest
from services.aggregate.counting.judge import CountableResponses, Judge, Judgement, Parkable
from services.aggregate.counting.tally import tally
from shared.domain.violation import Violation
from shared.inbox.entry import Entry, Parcel, Parcels
from shared.storage import receipts, responses
from shared.storage.receipts import ReceiptColumns
from shared.storage.tallies.day_tally import Deltas

UNREADABLE = "unreadable-entry"
FOREIGN_CHANNEL = "inbox"
_FOREIGN = Parkable(
    [Violation("", UNREADABLE, "an inbox entry that this service did not write")], UNREADABLE
)


class SubmissionColumns(NamedTuple):
    """Submissions, column by column, in the order of arrival."""

    entry: IntColumn  # an index of the batch's entries
    receipts: bytes  # 16 bytes each
    channels: Sequence[str]
    ids: Sequence[str]
    received_us: IntColumn
    bodies: Sequence[bytes]

    def receipt(self, at: int) -> bytes:
        """The receipt at a position."""
        return self.receipts[16 * at : 16 * at + 16]

    def claims(self, at: IntColumn, digests: IntColumn) -> ReceiptColumns:
        """What the table `receipt` holds of the submissions at these positions."""
        return ReceiptColumns(
            np.frombuffer(self.receipts, dtype="V16")[at].tobytes(),
            self.received_us[at],
            digests[at],
            [self.channels[index] for index in at.tolist()],
            [self.ids[index] for index in at.tolist()],
        )


class Batch(NamedTuple):
    """Claimed entries, judged, and the rows that they would become."""

    epoch: UUID  # the life of the inbox that they were claimed in
    entries: Sequence[Entry]
    columns: SubmissionColumns
    # positions in the order of receipts; of equal ones the first that came stays the first
    order: IntColumn
    judgement: Judgement
    whole: "Writing"  # when all of them are new, as mostly

    @property
    def size(self) -> int:
        """How many submissions it holds."""
        return len(self.columns.ids)


class Writing(NamedTuple):
    """What is written when some of a batch's submissions are new."""

    claims: bytes  # rows of the table `receipt`, in the order of receipts
    rows: bytes  # of the table `response`, likewise
    deltas: Sequence[
        Deltas
    ]  # in the order of questionnaires: else two workers could wait for each other


def writing(batch: Batch, new: BoolColumn) -> Writing:
    """What is written when these submissions are new."""
    columns, judgement = batch.columns, batch.judgement
    order = batch.order[new[batch.order]]
    claims = columns.claims(order, judgement.digests)
    waiting = judgement.parkable
    reasons = (
        {index: waiting[at].reason for index, at in enumerate(order.tolist()) if at in waiting}
        if waiting
        else {}
    )
    answered = [one.take(_places_in(one.at, order, batch.size)) for one in judgement.countable]
    return Writing(
        receipts.encode_rows(claims, reasons),
        b"".join(rows_of(columns.receipts, one) for one in answered),
        deltas_of(answered),
    )


def _places_in(at: IntColumn, order: IntColumn, size: int) -> IntColumn:
    """Where the positions of `order` that are in `at` stand there."""
    where = np.full(size, -1, dtype=np.int64)
    where[at] = np.arange(len(at))
    found = where[order]
    return found[found >= 0]


def rows_of(receipt_column: bytes, answered: CountableResponses) -> bytes:
    """Rows of the table `response`; the receipts are those of everything that was judged, 16 bytes each."""
    return responses.encode_rows(
        responses.ResponseColumns(
            np.frombuffer(receipt_column, dtype="V16")[answered.at].tobytes(),
            answered.answered_us,
            answered.scores,
            answered.places,
            answered.place.tolist(),
            answered.profiles.tolist(),
            answered.comments,
        )
    )


def deltas_of(answered: Iterable[CountableResponses]) -> Sequence[Deltas]:
    """What responses add to the tallies."""
    return [
        tally(one.questionnaire, one.places, one.place, one.profiles, one.scores)
        for one in answered
        if len(one.at)
    ]


def judged(judge: Judge, entries: Iterable[Entry], epoch: UUID) -> Batch:
    """Judge the submissions of entries; an entry that was claimed twice counts once."""
    distinct = list({entry.entry: entry for entry in entries}.values())
    columns, foreign = _columns(distinct)
    judgement = judge.judge(columns.bodies, columns.channels, columns.received_us)
    for at in foreign:
        judgement = _parked(judgement, at, columns.bodies[at])
    batch = Batch(
        epoch, distinct, columns, _order(columns.receipts), judgement, Writing(b"", b"", ())
    )
    return batch._replace(whole=writing(batch, np.ones(batch.size, dtype=np.bool_)))


def _columns(entries: Sequence[Entry]) -> tuple[SubmissionColumns, Sequence[int]]:
    """The submissions of entries, and the positions of those that this product did not write."""
    held = [entry.parcels or _foreign(entry) for entry in entries]
    sizes = np.asarray([size for one in held for size in one.sizes], dtype=np.int64)
    parcel = np.repeat(np.arange(len(sizes)), sizes)
    channels = [channel for one in held for channel in one.channels]
    received_us = np.asarray(
        [instant for one in held for instant in one.received_us], dtype=np.int64
    )
    entry = np.repeat(
        np.arange(len(held)), np.asarray([len(one.ids) for one in held], dtype=np.int64)
    )
    columns = SubmissionColumns(
        entry,
        b"".join([one.receipts for one in held]),
        [channels[at] for at in parcel.tolist()],
        [name for one in held for name in one.ids],
        received_us[parcel],
        [body for one in held for body in one.bodies],
    )
    foreign = [at for at, found in enumerate(entries) if found.parcels is None]
    return columns, np.flatnonzero(np.isin(entry, foreign)).tolist() if foreign else ()


def _order(receipt_column: bytes) -> IntColumn:
    halves = np.frombuffer(receipt_column, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    order = np.argsort(halves[:, 0])
    begins = halves[order, 0]
    if (begins[1:] == begins[:-1]).any():  # equal receipts stay in the order in which they came
        return np.lexsort((halves[:, 1], halves[:, 0]))
    return order


def _foreign(entry: Entry) -> Parcels:
    """What somebody else put into the inbox, as a submission that will be parked."""
    received_us, name = entry.position[0] * 1000, entry.stream_id.decode()
    return Parcels.of(
        [Parcel(FOREIGN_CHANNEL, received_us, entry.entry.bytes, [name], [entry.raw])]
    )


def _parked(judgement: Judgement, at: int, content: bytes) -> Judgement:
    judgement.digests[at] = digest(content)
    countable = [one.take(np.flatnonzero(one.at != at)) for one in judgement.countable]
    return judgement._replace(countable=countable, parkable={**judgement.parkable, at: _FOREIGN})

"""Counts a batch: one transaction, after which each submission is a response, a duplicate or parked.

    batch ─► what is known? ─► receipts · responses · parked ─► day tallies ─► stale OPDs ─► ledger ─► commit

Every repetition is harmless: of an entry (the ledger knows it), of a submission (its receipt is
there). Settling the inbox comes after the commit and is not needed for it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from services.aggregate.counting.batch import Batch, writing
from services.aggregate.counting.decode import BoolColumn
from services.aggregate.counting.judge import Parkable
from shared.domain.submission.identity import receipt_bytes
from shared.domain.violation import Violation
from shared.storage import ledger, parking, receipts, responses
from shared.storage.cursor import Cursor, open_cursor
from shared.storage.engine import transaction
from shared.storage.tallies import day_tally
from shared.storage.tallies.day_tally import Deltas

CONFLICT = "id-conflict"
_CONFLICT = Parkable(
    [Violation("/id", CONFLICT, "this id was used before, for another content")], CONFLICT
)


class Counted(NamedTuple):
    """What a batch came to."""

    counted: int
    duplicate: int
    parked: int


class _Conflict(NamedTuple):
    """A submission whose id was used for another content: parked under a receipt of its own."""

    at: int
    receipt: bytes


def count(engine: sa.Engine, batch: Batch, now: datetime, today: date) -> Counted:
    """Count a batch in one transaction. Raises what the database raises; nothing is then counted."""
    with transaction(engine) as connection:
        cursor = open_cursor(connection)
        ours = _uncounted(connection, batch)
        new, conflicts = _sifted(cursor, batch, ours)
        found = batch.whole if new.all() else writing(batch, new)
        receipts.copy(cursor, found.claims + _claims(batch, conflicts))
        responses.copy(cursor, found.rows)
        parking.park(cursor, list(_parked(batch, new, conflicts)))
        add(cursor, found.deltas, today)
        outcomes = _outcomes(batch, ours, new, conflicts)
        if outcomes:
            ledger.enter(connection, batch.epoch, now, outcomes)
    return Counted(
        sum(outcome.counted for outcome in outcomes),
        sum(outcome.duplicate for outcome in outcomes),
        sum(outcome.parked for outcome in outcomes),
    )


def add(cursor: Cursor, found: Sequence[Deltas], today: date) -> None:
    """Add to the tallies, and make their OPDs stale."""
    touched: dict[str, bool] = {}
    for deltas in found:
        day_tally.add_deltas(cursor, deltas)
        for key in deltas.keys:
            touched[key.opd] = touched.get(key.opd, False) or key.day < today
    if touched:
        day_tally.mark_stale(cursor, list(touched.items()))


def _uncounted(connection: sa.Connection, batch: Batch) -> BoolColumn:
    """Which of the entries were not counted already."""
    known = ledger.counted_entries(connection, [entry.entry for entry in batch.entries])
    return np.asarray([entry.entry not in known for entry in batch.entries], dtype=np.bool_)


def _sifted(
    cursor: Cursor, batch: Batch, ours: BoolColumn
) -> tuple[BoolColumn, Sequence[_Conflict]]:
    """Which of the submissions are new, and those of the others that reuse an id for another content.

    Receipts are looked up and the new ones written, which costs half of an insertion that skips
    what is there. Whoever writes one of them in between makes the writing fail: the batch is then
    counted again.
    """
    columns = batch.columns
    asked = ours[columns.entry]
    known = receipts.stored_digests(cursor, _chosen(columns.receipts, asked))
    new = asked.copy()
    if known:
        new &= np.asarray(
            [columns.receipt(at) not in known for at in range(batch.size)], dtype=np.bool_
        )
    digests = dict(known)
    new &= _first_of_equal(batch)
    again = np.flatnonzero(asked & ~new).tolist()
    if not again:
        return new, ()
    repeated = {columns.receipt(at) for at in again}
    for at in np.flatnonzero(new).tolist():
        receipt = columns.receipt(at)
        if receipt in repeated:
            digests[receipt] = int(batch.judgement.digests[at])
    others: dict[bytes, _Conflict] = {}
    for at in again:
        receipt, digest = columns.receipt(at), int(batch.judgement.digests[at])
        if digests[receipt] != digest:
            own = receipt_bytes(receipt, f"{digest:x}")
            others.setdefault(own, _Conflict(at, own))
    there = receipts.stored_digests(cursor, b"".join(others)) if others else {}
    return new, [others[own] for own in sorted(others) if own not in there]


def _chosen(receipt_column: bytes, chosen: BoolColumn) -> bytes:
    return (
        receipt_column
        if chosen.all()
        else np.frombuffer(receipt_column, dtype="V16")[chosen].tobytes()
    )


def _first_of_equal(batch: Batch) -> BoolColumn:
    """Which receipt is the first of its kind."""
    halves = np.frombuffer(batch.columns.receipts, dtype=np.uint64).reshape(-1, 2)[batch.order]
    first = np.ones(batch.size, dtype=np.bool_)
    first[batch.order[1:]] = (halves[1:] != halves[:-1]).any(axis=1)
    return first


def _claims(batch: Batch, conflicts: Sequence[_Conflict]) -> bytes:
    if not conflicts:
        return b""
    claims = batch.columns.claims(
        np.asarray([one.at for one in conflicts]), batch.judgement.digests
    )
    own = claims._replace(receipts=b"".join(one.receipt for one in conflicts))
    return receipts.encode_rows(own, dict.fromkeys(range(len(conflicts)), CONFLICT))


def _parked(
    batch: Batch, new: BoolColumn, conflicts: Sequence[_Conflict]
) -> Iterator[parking.ParkedSubmission]:
    columns = batch.columns
    waiting = [
        (at, columns.receipt(at), one) for at, one in batch.judgement.parkable.items() if new[at]
    ]
    for at, receipt, one in waiting + [
        (conflict.at, conflict.receipt, _CONFLICT) for conflict in conflicts
    ]:
        yield parking.ParkedSubmission(
            receipt,
            columns.channels[at],
            columns.ids[at],
            int(columns.received_us[at]),
            one.reason,
            one.violations,
            columns.bodies[at],
        )


def _outcomes(
    batch: Batch, ours: BoolColumn, new: BoolColumn, conflicts: Sequence[_Conflict]
) -> Sequence[ledger.EntryOutcome]:
    size, entry = len(batch.entries), batch.columns.entry
    waits = np.zeros(batch.size, dtype=np.bool_)
    waits[list(batch.judgement.parkable)] = True
    accepted = np.bincount(entry, minlength=size)
    counted = np.bincount(entry[new & ~waits], minlength=size)
    parked = np.bincount(entry[new & waits], minlength=size)
    np.add.at(parked, entry[[one.at for one in conflicts]], 1)
    numbers = zip(accepted.tolist(), counted.tolist(), parked.tolist(), strict=True)
    return [
        ledger.EntryOutcome(
            found.entry, found.position, all_of_it, good, all_of_it - good - waiting, waiting
        )
        for found, (all_of_it, good, waiting), own in zip(
            batch.entries, numbers, ours.tolist(), strict=True
        )
        if own
    ]

"""Counts a batch in one transaction; each submission is then a response, a duplicate or parked.

    what is new? ─► receipts · responses · parked ─► day tallies ─► stale OPDs ─► entries ─► commit

The registry stays as it is until the commit, so what counts is the judgement by the present one.
Every repetition is harmless: of an entry (its row is there), of a submission (its receipt is
there). Settling the inbox comes after the commit and is not needed for it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from services.aggregate.counting.batch import Batch, NewRows, judged, new_rows, receipts_at
from services.aggregate.counting.columns import BoolColumn, bool_column, int_column
from services.aggregate.counting.judge import Judge
from services.aggregate.counting.judgement import Parkable
from shared.domain.violation import Violation
from shared.domain.window import local_day
from shared.storage import ledger, parking, receipts, responses
from shared.storage.cursor import Cursor, open_cursor
from shared.storage.engine import DatabaseClock, transaction
from shared.storage.ledger import Position
from shared.storage.registry import stored_registry
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

    position: int
    receipt: bytes


def count(
    engine: sa.Engine,
    batch: Batch,
    judge_in: Callable[[sa.Connection], Judge],
    clock: DatabaseClock,
) -> Counted:
    """Count a batch in one transaction; `judge_in` gives the judge of the registry as it sees it.

    Raises what the database raises, and FoldedMeanwhile; nothing is counted then.
    """
    with transaction(engine) as connection:
        stored_registry.hold(connection)
        judge = judge_in(connection)
        if batch.registry_version not in (judge.registry.version, None):
            batch = judged(judge, batch.entries, batch.epoch)
        cursor = open_cursor(connection)
        counted = ledger.counted_entries(connection, [entry.entry for entry in batch.entries])
        horizon = ledger.read_horizon(connection, batch.epoch)
        is_uncounted = _uncounted_entries(cursor, batch, counted, horizon)
        is_new, conflicts = _new_and_conflicts(cursor, batch, is_uncounted)
        rows = batch.rows if is_new.all() else _rows_of_some(batch, is_new)
        receipts.copy(cursor, rows.receipts + _receipt_rows(batch, conflicts))
        responses.copy(cursor, rows.responses)
        parking.park(cursor, list(_parked(batch, is_new, conflicts)))
        now = clock(connection)
        add(cursor, rows.deltas, local_day(now, judge.registry.instansi.zone))
        outcomes = _outcomes(batch, is_uncounted, is_new, conflicts)
        if outcomes:
            ledger.enter(connection, batch.epoch, now, outcomes, horizon)
    return Counted(
        sum(outcome.counted for outcome in outcomes),
        sum(outcome.duplicate for outcome in outcomes),
        sum(outcome.parked for outcome in outcomes),
    )


def add(cursor: Cursor, deltas_by_questionnaire: Sequence[Deltas], today: date) -> None:
    """Add to the tallies, and make their OPDs stale."""
    has_past: dict[str, bool] = {}
    for deltas in deltas_by_questionnaire:
        day_tally.add_deltas(cursor, deltas)
        for key in deltas.keys:
            has_past[key.opd] = has_past.get(key.opd, False) or key.day < today
    if has_past:
        day_tally.mark_stale(cursor, list(has_past.items()))


def _uncounted_entries(
    cursor: Cursor, batch: Batch, counted: Collection[UUID], horizon: Position
) -> BoolColumn:
    """Return which of the entries were not counted already: those without a row.

    Not so before the horizon: they were counted and folded, and a frozen worker has them still. But
    what holds a receipt that is not stored was never counted, whatever the horizon says; Redis may
    have lost it, or its clock gone back, and it must not be lost here too.
    """
    is_uncounted = bool_column(entry.entry not in counted for entry in batch.entries)
    is_folded = is_uncounted & bool_column(entry.position < horizon for entry in batch.entries)
    if not is_folded.any():
        return is_uncounted
    submissions = batch.submissions
    stored = receipts.stored_digests(cursor, submissions.receipts)
    is_unknown = bool_column(
        submissions.receipt(position) not in stored for position in range(batch.size)
    )
    is_folded[submissions.entry_index[is_unknown]] = False
    is_uncounted[is_folded] = False
    return is_uncounted


def _new_and_conflicts(
    cursor: Cursor, batch: Batch, is_uncounted: BoolColumn
) -> tuple[BoolColumn, Sequence[_Conflict]]:
    """Return which submissions are new, and which others reuse an id for another content.

    Receipts are looked up and the new ones written, which costs half of an insertion that skips
    what is there. Whoever writes one of them in between makes the writing fail: the batch is then
    counted again.
    """
    submissions, contents = batch.submissions, batch.judgement.digests
    is_asked = is_uncounted[submissions.entry_index]
    asked_receipts = receipts_at(submissions.receipts, np.flatnonzero(is_asked))
    stored = receipts.stored_digests(cursor, asked_receipts)
    is_new = is_asked & _is_first_of_equal(batch)
    if stored:
        is_new &= bool_column(
            submissions.receipt(position) not in stored for position in range(batch.size)
        )
    repeated = np.flatnonzero(is_asked & ~is_new).tolist()
    if not repeated:
        return is_new, ()
    first_digests = stored | {
        submissions.receipt(position): int(contents[position])
        for position in np.flatnonzero(is_new).tolist()
    }
    conflicts: dict[bytes, _Conflict] = {}
    for position in repeated:
        receipt, content = submissions.receipt(position), int(contents[position])
        if first_digests[receipt] not in (content, None):
            own_receipt = batch.receipt_maker.conflict_receipt(receipt, content)
            conflicts.setdefault(own_receipt, _Conflict(position, own_receipt))
    parked_before = receipts.stored_digests(cursor, b"".join(conflicts)) if conflicts else {}
    return is_new, [conflicts[own] for own in sorted(conflicts) if own not in parked_before]


def _is_first_of_equal(batch: Batch) -> BoolColumn:
    """Return which submissions are the first with their receipt."""
    halves = np.frombuffer(batch.submissions.receipts, dtype=np.uint64).reshape(-1, 2)
    in_order = halves[batch.receipt_order]
    is_first = np.ones(batch.size, dtype=np.bool_)
    is_first[batch.receipt_order[1:]] = (in_order[1:] != in_order[:-1]).any(axis=1)
    return is_first


def _rows_of_some(batch: Batch, is_new: BoolColumn) -> NewRows:
    new_in_order = batch.receipt_order[is_new[batch.receipt_order]]
    return new_rows(batch.submissions, batch.judgement, new_in_order)


def _receipt_rows(batch: Batch, conflicts: Sequence[_Conflict]) -> bytes:
    if not conflicts:
        return b""
    positions = int_column(conflict.position for conflict in conflicts)
    columns = batch.submissions.receipt_columns(positions, batch.judgement.digests)
    own = columns._replace(receipts=b"".join(conflict.receipt for conflict in conflicts))
    return receipts.encode_rows(own, dict.fromkeys(range(len(conflicts)), CONFLICT))


def _parked(
    batch: Batch, is_new: BoolColumn, conflicts: Sequence[_Conflict]
) -> Iterator[parking.ParkedSubmission]:
    submissions = batch.submissions
    waiting = [
        (position, submissions.receipt(position), parkable)
        for position, parkable in batch.judgement.parkable.items()
        if is_new[position]
    ]
    conflicting = [(conflict.position, conflict.receipt, _CONFLICT) for conflict in conflicts]
    for position, receipt, parkable in waiting + conflicting:
        yield parking.ParkedSubmission(
            receipt,
            submissions.channels[position],
            submissions.ids[position],
            int(submissions.received_us[position]),
            parkable.reason,
            parkable.violations,
            submissions.bodies[position],
        )


def _outcomes(
    batch: Batch, is_uncounted: BoolColumn, is_new: BoolColumn, conflicts: Sequence[_Conflict]
) -> Sequence[ledger.EntryOutcome]:
    entry_index, entries = batch.submissions.entry_index, len(batch.entries)
    is_parkable = np.zeros(batch.size, dtype=np.bool_)
    is_parkable[list(batch.judgement.parkable)] = True
    conflict_positions = int_column(conflict.position for conflict in conflicts)
    accepted = np.bincount(entry_index, minlength=entries)
    counted = np.bincount(entry_index[is_new & ~is_parkable], minlength=entries)
    parked = np.bincount(entry_index[is_new & is_parkable], minlength=entries) + np.bincount(
        entry_index[conflict_positions], minlength=entries
    )
    duplicate = accepted - counted - parked
    return [
        ledger.EntryOutcome(
            batch.entries[index].entry,
            batch.entries[index].position,
            int(accepted[index]),
            int(counted[index]),
            int(duplicate[index]),
            int(parked[index]),
        )
        for index in np.flatnonzero(is_uncounted).tolist()
    ]

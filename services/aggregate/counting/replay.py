"""Judges parked submissions again, by the registry as it is now, and counts what can be counted.

Safe beside workers and other replays: the rows are locked before they are judged, and one that
somebody else has counted meanwhile is not there any more. What was accepted and parked stays so in
the ledger; only its receipt changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.aggregate.counting.batch import deltas_of, response_rows
from services.aggregate.counting.count import CONFLICT, add
from services.aggregate.counting.judge import PresentJudge
from services.aggregate.counting.judgement import UNCOUNTABLE
from services.aggregate.counting.recovery import together_or_singly
from shared.domain.violation import Violation
from shared.progress import Progress, untold
from shared.storage import parking, receipts, responses
from shared.storage.cursor import open_cursor
from shared.storage.engine import DatabaseClock, database_now, transaction
from shared.storage.registry import stored_registry

BATCH = 1000


class Replayed(NamedTuple):
    """What became of parked submissions; `gone`: they are not parked, or not any more."""

    counted: int = 0
    parked: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay.

    `force`: an id that was used before for another content counts, under a receipt of its own.

    Each method raises what the database raises; the batches before that one are then done.
    """

    engine: sa.Engine
    force: bool = False
    clock: DatabaseClock = database_now

    def named(self, codes: Sequence[UUID], progress: Progress = untold) -> Replayed:
        """Replay the submissions with these receipts."""
        distinct = sorted(set(codes))
        batches = (distinct[start : start + BATCH] for start in range(0, len(distinct), BATCH))
        return self._all(batches, len(distinct), progress)

    def waiting(self, reason: str | None = None, progress: Progress = untold) -> Replayed:
        """Replay everything that is parked, or what is parked for a reason."""
        with self.engine.connect() as connection:
            parked = parking.count_by_reason(connection)
        total = sum(parked.values()) if reason is None else parked.get(reason, 0)
        return self._all(self._waiting(reason), total, progress)

    def _waiting(self, reason: str | None) -> Iterator[Sequence[UUID]]:
        last: UUID | None = None
        while True:  # by receipt: what stays parked does not come again
            with self.engine.connect() as connection:
                codes = parking.next_receipts(connection, reason, last, BATCH)
            if not codes:
                return
            yield codes
            last = codes[-1]

    def _all(self, batches: Iterable[Sequence[UUID]], total: int, progress: Progress) -> Replayed:
        judge_in, result = PresentJudge(), Replayed()
        for codes in batches:
            parts = together_or_singly(
                codes, lambda part: self._replay(judge_in, part), self._leave_parked
            )
            result = Replayed(*map(sum, zip(result, *parts, strict=True)))
            done = sum(result)
            progress(done, max(done, total))
        return result

    def _replay(self, judge_in: PresentJudge, codes: Sequence[UUID]) -> Replayed:
        """Count in one transaction what can be counted now, by the registry of that moment."""
        with transaction(self.engine) as connection:
            stored_registry.hold(connection)
            judge = judge_in(connection)
            taken = parking.lock_parked(connection, codes)
            now = self.clock(connection)
            now_us = round(now.timestamp() * 1_000_000)
            held = [row for row in taken if row.reason == CONFLICT and not self.force]
            rows = [row for row in taken if row.reason != CONFLICT or self.force]
            judgement = judge.judge(
                [row.body for row in rows],
                [row.channel for row in rows],
                [row.received_us for row in rows],
                now_us,
            )
            counted = [
                rows[position].receipt.bytes
                for countable in judgement.countable
                for position in countable.positions.tolist()
            ]
            if counted:
                cursor = open_cursor(connection)
                receipts.mark_counted(cursor, b"".join(counted))
                receipt_column = b"".join(row.receipt.bytes for row in rows)
                responses.copy(cursor, response_rows(receipt_column, judgement.countable))
                add(cursor, deltas_of(judgement.countable), judge.day(now_us))
                parking.delete_parked(connection, counted)
            waiting = [(row.receipt, row.violations) for row in held] + [
                (rows[position].receipt, _with_conflict(rows[position], parkable.violations))
                for position, parkable in judgement.parkable.items()
            ]
            parking.note_retries(connection, waiting, now)
        return Replayed(len(counted), len(waiting), len(codes) - len(taken))

    def _leave_parked(self, code: UUID) -> Replayed:
        """Note that the submission cannot be counted: the log says why."""
        with transaction(self.engine) as connection:
            taken = parking.lock_parked(connection, [code])
            waiting = [(row.receipt, _with_conflict(row, UNCOUNTABLE.violations)) for row in taken]
            parking.note_retries(connection, waiting, self.clock(connection))
        return Replayed(parked=len(taken), gone=1 - len(taken))


def _with_conflict(
    row: parking.LockedSubmission, violations: Sequence[Violation]
) -> Sequence[Violation]:
    """Return why a submission stays parked, first of all that its id was used before.

    Else a forced replay that failed would let the next one, which is not forced, count it.
    """
    if row.reason != CONFLICT:
        return violations
    return [*(violation for violation in row.violations if violation.code == CONFLICT), *violations]

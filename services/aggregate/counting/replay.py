"""Judges parked submissions again, by the registry as it is now: what can be counted is, once, in one transaction.

Safe beside workers and other replays: the rows are locked before they are judged, and one that
somebody else has counted meanwhile is not there any more. What was accepted and parked stays so in
the ledger; only its receipt changes.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.aggregate.counting.batch import deltas_of, rows_of
from services.aggregate.counting.count import CONFLICT, add
from services.aggregate.counting.judge import UNCOUNTABLE, Judge
from services.aggregate.counting.recovery import ATTEMPTS, Collision, Unavailable, Uncountable
from shared.progress import Progress, untold
from shared.storage import parking, receipts, responses
from shared.storage.cursor import open_cursor
from shared.storage.engine import transaction
from shared.storage.registry import stored_registry

log = logging.getLogger(__name__)

BATCH = 1000


class Replayed(NamedTuple):
    """What became of parked submissions; `gone`: they are not parked, or not any more."""

    counted: int = 0
    parked: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay at one time. `force`: an id that was used before for another content counts, under a receipt of its own.

    Each method raises what the database raises; the batches before that one are then done.
    """

    engine: sa.Engine
    now: datetime
    force: bool = False

    def named(self, codes: Sequence[UUID], progress: Progress = untold) -> Replayed:
        """Replay the submissions with these receipts."""
        distinct = sorted(set(codes))
        batches = (distinct[at : at + BATCH] for at in range(0, len(distinct), BATCH))
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
                found = parking.next_receipts(connection, reason, last, BATCH)
            if not found:
                return
            yield found
            last = found[-1]

    def _all(self, batches: Iterable[Sequence[UUID]], total: int, progress: Progress) -> Replayed:
        with self.engine.connect() as connection:
            judge = Judge(stored_registry.load(connection))
        result = Replayed()
        for codes in batches:
            result = Replayed(*map(sum, zip(result, self._isolated(judge, codes), strict=True)))
            done = sum(result)
            progress(done, max(done, total))
        return result

    def _isolated(self, judge: Judge, codes: Sequence[UUID]) -> Replayed:
        """Replay a batch; if that fails for a reason of its own, one by one, and what fails alone stays parked."""
        for _ in range(ATTEMPTS):
            try:
                return self._once(judge, codes)
            except Collision as error:
                log.info("somebody else had the same rows", extra={"error": type(error).__name__})
            except Unavailable:
                raise
            except Uncountable:
                log.exception(
                    "parked submissions cannot be counted",
                    extra={"receipts": [str(code) for code in codes]},
                )
                break
        if len(codes) > 1:
            results = [self._isolated(judge, [code]) for code in codes]
            return Replayed(*map(sum, zip(*results, strict=True)))
        return self._still(codes)

    def _once(self, judge: Judge, codes: Sequence[UUID]) -> Replayed:
        now_us = round(self.now.timestamp() * 1_000_000)
        with transaction(self.engine) as connection:
            found = parking.lock_parked(connection, codes)
            held = [row for row in found if row.reason == CONFLICT and not self.force]
            rows = [row for row in found if row.reason != CONFLICT or self.force]
            judgement = judge.judge(
                [row.body for row in rows],
                [row.channel for row in rows],
                [row.received_us for row in rows],
                now_us,
            )
            counted = {
                at: rows[at].receipt.bytes for one in judgement.countable for at in one.at.tolist()
            }
            if counted:
                cursor = open_cursor(connection)
                receipts.mark_counted(
                    cursor, {code: int(judgement.digests[at]) for at, code in counted.items()}
                )
                column = b"".join(row.receipt.bytes for row in rows)
                responses.copy(
                    cursor, b"".join(rows_of(column, one) for one in judgement.countable)
                )
                add(cursor, deltas_of(judgement.countable), judge.day(now_us))
                parking.delete_parked(connection, list(counted.values()))
            still = [(row.receipt, row.violations) for row in held]
            still += [(rows[at].receipt, one.violations) for at, one in judgement.parkable.items()]
            parking.note_retries(connection, still, self.now)
        return Replayed(len(counted), len(still), len(codes) - len(found))

    def _still(self, codes: Sequence[UUID]) -> Replayed:
        with transaction(self.engine) as connection:
            rows = parking.lock_parked(connection, codes)
            parking.note_retries(
                connection, [(row.receipt, UNCOUNTABLE.violations) for row in rows], self.now
            )
        return Replayed(0, len(rows), len(codes) - len(rows))

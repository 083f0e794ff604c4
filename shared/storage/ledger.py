"""Promise 3 in rows: what every inbox entry came to, so that accepted = counted + duplicate + parked can be proved."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.storage import binary
from shared.storage.cursor import Cursor
from shared.storage.tables import inbox_entry, ledger


class EntryOutcome(NamedTuple):
    """What one inbox entry came to; counted + duplicate + parked = accepted."""

    entry: UUID
    position: tuple[int, int]  # of the stream
    accepted: int
    counted: int
    duplicate: int
    parked: int


_FOLDING = 0x494B4D_46  # "IKMF"
_ENTER = """
INSERT INTO inbox_entry (entry, epoch, stream_ms, stream_seq, accepted, counted, duplicate, parked, counted_at)
SELECT e, %b, m, s, a, c, d, p, %b
FROM unnest(%b::uuid[], %b::int8[], %b::int8[], %b::int4[], %b::int4[], %b::int4[], %b::int4[])
  AS x (e, m, s, a, c, d, p)
"""
_FOLD = """
WITH gone AS (
  DELETE FROM inbox_entry
  WHERE (epoch <> :epoch OR (stream_ms, stream_seq) < (:milliseconds, :sequence)) AND counted_at < :before
  RETURNING epoch, accepted, counted, duplicate, parked, (counted_at AT TIME ZONE 'UTC')::date AS day
)
INSERT INTO ledger AS l (epoch, day, accepted, counted, duplicate, parked)
SELECT epoch, day, sum(accepted), sum(counted), sum(duplicate), sum(parked) FROM gone GROUP BY epoch, day
ON CONFLICT (epoch, day) DO UPDATE SET
  accepted = l.accepted + excluded.accepted, counted = l.counted + excluded.counted,
  duplicate = l.duplicate + excluded.duplicate, parked = l.parked + excluded.parked
"""


def counted_entries(cursor: Cursor, entries: Sequence[UUID]) -> set[UUID]:
    """Those of the entries that were counted already: a redelivery after a crash between commit and settlement."""
    cursor.execute(
        "SELECT entry FROM inbox_entry WHERE entry = ANY(%b::uuid[])",
        (binary.uuids([e.bytes for e in entries]),),
    )
    return {entry for (entry,) in cursor if isinstance(entry, UUID)}


def enter(cursor: Cursor, epoch: UUID, now: datetime, outcomes: Sequence[EntryOutcome]) -> None:
    """Note what the entries came to. A unique violation means that another worker counted one of them meanwhile."""
    cursor.execute(
        _ENTER,
        (
            epoch,
            now,
            binary.uuids([outcome.entry.bytes for outcome in outcomes]),
            binary.bigints([outcome.position[0] for outcome in outcomes]),
            binary.bigints([outcome.position[1] for outcome in outcomes]),
            binary.integers([outcome.accepted for outcome in outcomes]),
            binary.integers([outcome.counted for outcome in outcomes]),
            binary.integers([outcome.duplicate for outcome in outcomes]),
            binary.integers([outcome.parked for outcome in outcomes]),
        ),
    )


def fold(connection: sa.Connection, epoch: UUID, horizon: tuple[int, int], before: datetime) -> int:
    """Sum up the entries before `horizon` of the stream, and those of earlier lives; how many lines it became.

    They can never come again; but a slow worker may hold one that another counted and settled
    meanwhile, so only what was counted `before` any task of now began is summed up, and nothing
    while `postpone_folding` holds.
    """
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_FOLDING))):
        return 0
    values = {"epoch": epoch, "milliseconds": horizon[0], "sequence": horizon[1], "before": before}
    return connection.execute(sa.text(_FOLD), values).rowcount


def postpone_folding(connection: sa.Connection) -> None:
    """Until this transaction ends, every entry that is counted stays known with its place in the stream."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_FOLDING)))


def totals(connection: sa.Connection, epoch: UUID | None = None) -> dict[str, int]:
    """accepted, counted, duplicate, parked: over everything, or over one life of the inbox."""
    numbers = ("accepted", "counted", "duplicate", "parked")
    both = sa.union_all(
        *(
            sa.select(table.c.epoch, *(table.c[name].label(name) for name in numbers))
            for table in (inbox_entry, ledger)
        )
    ).subquery()
    query = sa.select(
        *(
            sa.cast(sa.func.coalesce(sa.func.sum(both.c[name]), 0), sa.BigInteger)
            for name in numbers
        )
    )
    if epoch is not None:
        query = query.where(both.c.epoch == epoch)
    return dict(zip(numbers, connection.execute(query).one(), strict=True))

"""Promise 3 in rows: what every inbox entry came to.

From them accepted = counted + duplicate + parked can be proved. An entry has a row of its own in
`inbox_entry` until it can never come again; then it is folded into its day's row of `ledger`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.storage import binary

_FOLDING_LOCK = 0x494B4D_46  # "IKMF"

# Which of the entries are counted.
_SELECT_COUNTED = sa.text("SELECT entry FROM inbox_entry WHERE entry = ANY(:entries)")
# Note what entries came to.
_ENTER = sa.text("""
INSERT INTO inbox_entry
  (entry, epoch, stream_ms, stream_seq, accepted, counted, duplicate, parked, counted_at)
SELECT entry, :epoch, stream_ms, stream_seq, accepted, counted, duplicate, parked, :now
FROM unnest(
    CAST(:entries AS uuid[]), CAST(:stream_ms AS int8[]), CAST(:stream_seq AS int8[]),
    CAST(:accepted AS int4[]), CAST(:counted AS int4[]), CAST(:duplicate AS int4[]),
    CAST(:parked AS int4[]))
  AS outcome (entry, stream_ms, stream_seq, accepted, counted, duplicate, parked)
""")
# Move entries that can never come again into the ledger, summed up by epoch and day.
_FOLD = sa.text("""
WITH folded AS (
  DELETE FROM inbox_entry
  WHERE (epoch <> :epoch OR (stream_ms, stream_seq) < (:horizon_ms, :horizon_seq))
    AND counted_at < :before
  RETURNING epoch, accepted, counted, duplicate, parked,
    CAST(counted_at AT TIME ZONE 'UTC' AS date) AS day
)
INSERT INTO ledger AS line (epoch, day, accepted, counted, duplicate, parked)
SELECT epoch, day, sum(accepted), sum(counted), sum(duplicate), sum(parked)
FROM folded GROUP BY epoch, day
ON CONFLICT (epoch, day) DO UPDATE SET
  accepted = line.accepted + excluded.accepted,
  counted = line.counted + excluded.counted,
  duplicate = line.duplicate + excluded.duplicate,
  parked = line.parked + excluded.parked
""")
# What all entries came to, folded or not.
_TOTALS = sa.text("""
SELECT CAST(coalesce(sum(accepted), 0) AS int8) AS accepted,
  CAST(coalesce(sum(counted), 0) AS int8) AS counted,
  CAST(coalesce(sum(duplicate), 0) AS int8) AS duplicate,
  CAST(coalesce(sum(parked), 0) AS int8) AS parked
FROM (
  SELECT accepted, counted, duplicate, parked FROM inbox_entry
  UNION ALL
  SELECT accepted, counted, duplicate, parked FROM ledger
) AS lines
""")
# Fold only when nobody postpones it, without waiting.
_TRY_FOLDING_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(:lock)")
# Keep everybody from folding.
_SHARE_FOLDING_LOCK = sa.text("SELECT pg_advisory_xact_lock_shared(:lock)")


class EntryOutcome(NamedTuple):
    """What one inbox entry came to; counted + duplicate + parked = accepted."""

    entry: UUID
    position: tuple[int, int]  # of the stream: milliseconds and sequence
    accepted: int
    counted: int
    duplicate: int
    parked: int


def counted_entries(connection: sa.Connection, entries: Collection[UUID]) -> set[UUID]:
    """Return those of the entries that were counted already.

    They come again when a worker dies between its commit and the settlement of the inbox.
    """
    return set(connection.scalars(_SELECT_COUNTED, {"entries": _uuid_array(entries)}))


def enter(
    connection: sa.Connection, epoch: UUID, now: datetime, outcomes: Sequence[EntryOutcome]
) -> None:
    """Note what the entries came to.

    A unique violation means that another worker counted one of them meanwhile.
    """
    connection.execute(
        _ENTER,
        {
            "epoch": epoch,
            "now": now,
            "entries": _uuid_array([outcome.entry for outcome in outcomes]),
            "stream_ms": binary.int8_array([outcome.position[0] for outcome in outcomes]),
            "stream_seq": binary.int8_array([outcome.position[1] for outcome in outcomes]),
            "accepted": binary.int4_array([outcome.accepted for outcome in outcomes]),
            "counted": binary.int4_array([outcome.counted for outcome in outcomes]),
            "duplicate": binary.int4_array([outcome.duplicate for outcome in outcomes]),
            "parked": binary.int4_array([outcome.parked for outcome in outcomes]),
        },
    )


def fold(connection: sa.Connection, epoch: UUID, horizon: tuple[int, int], before: datetime) -> int:
    """Sum up the entries before `horizon` and of earlier epochs; return how many lines it became.

    They can never come again; but a slow worker may hold one that another counted and settled
    meanwhile, so only what was counted `before` any task of now began is summed up, and nothing
    while folding is postponed.
    """
    if not connection.scalar(_TRY_FOLDING_LOCK, {"lock": _FOLDING_LOCK}):
        return 0
    horizon_ms, horizon_seq = horizon
    values = {
        "epoch": epoch,
        "horizon_ms": horizon_ms,
        "horizon_seq": horizon_seq,
        "before": before,
    }
    return connection.execute(_FOLD, values).rowcount


def postpone_folding(connection: sa.Connection) -> None:
    """Let every counted entry keep a row of its own until this transaction ends."""
    connection.execute(_SHARE_FOLDING_LOCK, {"lock": _FOLDING_LOCK})


def totals(connection: sa.Connection) -> dict[str, int]:
    """Return accepted, counted, duplicate and parked over everything."""
    return dict(connection.execute(_TOTALS).mappings().one())


def _uuid_array(uuids: Collection[UUID]) -> binary.UuidArray:
    return binary.uuid_array(b"".join([uuid.bytes for uuid in uuids]))

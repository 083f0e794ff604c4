"""Promise 3 in rows: what every inbox entry came to.

From them accepted = counted + duplicate + parked can be proved. An entry has a row of its own in
`inbox_entry` until it is settled; then it is folded into its day's row of `ledger`.

An entry enters once, however long a worker that holds it was frozen. Folding deletes rows and moves
the *horizon* of their epoch beyond them, in one transaction. So of an entry that was counted there
is, at every moment, the row or a horizon beyond it; and no lock and no clock is needed, because:

1. Who counts looks for the row first and at the horizon afterwards, each in a statement of its own.
   An entry that was counted before the look has its row then, or was folded before, and the horizon
   is beyond it.
2. What is counted and folded between that look and the insertion leaves no row to collide with. So
   the horizon is read once more after the insertion. A fold that committed before the insertion is
   seen; one that did not has not yet deleted the row, and the insertion waits for it or fails.
3. From the insertion to the commit nobody else can insert the entry: the primary key makes them
   wait.

The horizon is the oldest position of the stream: what lies before it was settled, and settling
comes after the commit of the count.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.domain.errors import IkmError
from shared.storage import binary

Position = tuple[int, int]  # of the stream: milliseconds and sequence
LIFE_IS_OVER: Final[Position] = (2**63 - 1, 0)  # the horizon of an earlier life: beyond everything

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
# Up to which position the entries of a life are folded.
_HORIZON = sa.text("SELECT stream_ms, stream_seq FROM inbox_horizon WHERE epoch = :epoch")
# Every life that anything was counted of.
_EPOCHS = sa.text("SELECT epoch FROM inbox_entry UNION SELECT epoch FROM ledger")
# Move the entries before their epoch's horizon into the ledger, summed up by epoch and day, and
# leave the horizon. It never goes back.
_FOLD = sa.text("""
WITH horizon AS (
  SELECT * FROM unnest(
      CAST(:epochs AS uuid[]), CAST(:stream_ms AS int8[]), CAST(:stream_seq AS int8[]))
    AS settled (epoch, stream_ms, stream_seq)
), moved AS (
  INSERT INTO inbox_horizon AS stored SELECT * FROM horizon
  ON CONFLICT (epoch) DO UPDATE
    SET stream_ms = excluded.stream_ms, stream_seq = excluded.stream_seq
    WHERE (stored.stream_ms, stored.stream_seq) < (excluded.stream_ms, excluded.stream_seq)
), folded AS (
  DELETE FROM inbox_entry USING horizon
  WHERE inbox_entry.epoch = horizon.epoch
    AND (inbox_entry.stream_ms, inbox_entry.stream_seq) < (horizon.stream_ms, horizon.stream_seq)
  RETURNING inbox_entry.epoch, accepted, counted, duplicate, parked,
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


class FoldedMeanwhile(IkmError):
    """An entry was counted, settled and folded by others while it was being counted."""


class EntryOutcome(NamedTuple):
    """What one inbox entry came to; counted + duplicate + parked = accepted."""

    entry: UUID
    position: Position
    accepted: int
    counted: int
    duplicate: int
    parked: int


def counted_entries(connection: sa.Connection, entries: Collection[UUID]) -> set[UUID]:
    """Return those of the entries that have a row, hence were counted already.

    They come again when a worker dies between its commit and the settlement of the inbox.
    """
    return set(connection.scalars(_SELECT_COUNTED, {"entries": _uuid_array(entries)}))


def read_horizon(connection: sa.Connection, epoch: UUID) -> Position:
    """Return the position before which all entries of a life were counted and folded."""
    row = connection.execute(_HORIZON, {"epoch": epoch}).one_or_none()
    return (0, 0) if row is None else (row.stream_ms, row.stream_seq)


def enter(
    connection: sa.Connection,
    epoch: UUID,
    now: datetime,
    outcomes: Sequence[EntryOutcome],
    horizon: Position,
) -> None:
    """Note what the entries came to; `horizon`: as it was read when they had no row.

    A unique violation and FoldedMeanwhile mean that another worker counted one of them since.
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
    reached = read_horizon(connection, epoch)
    if any(horizon <= outcome.position < reached for outcome in outcomes):
        raise FoldedMeanwhile(str(reached))


def epochs(connection: sa.Connection) -> set[UUID]:
    """Return every life of the inbox that anything was counted of."""
    return set(connection.scalars(_EPOCHS))


def fold(connection: sa.Connection, horizons: Mapping[UUID, Position]) -> int:
    """Sum up the entries before the horizon of their epoch; return how many lines it became.

    Nothing is done while folding is postponed.
    """
    if not connection.scalar(_TRY_FOLDING_LOCK, {"lock": _FOLDING_LOCK}):
        return 0
    values = {
        "epochs": _uuid_array(horizons),
        "stream_ms": binary.int8_array([milliseconds for milliseconds, _ in horizons.values()]),
        "stream_seq": binary.int8_array([sequence for _, sequence in horizons.values()]),
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

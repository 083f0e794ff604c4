"""Replacing the day tallies by others that were worked out beside them, while nothing is counted.

The lock: counting and replaying write a response first and add it to the tallies later in the same
transaction, so a lock on rows of one OPD, or on its state, would come too late for a response that
is written and not yet added. A lock on the table that admits readers and no writers does exclude
it: whoever has added a tally holds the table until the commit, and is waited for; whoever has not
is not committed, so the responses that are read lack theirs, and they add it afterwards, to the new
tallies. So counting pauses while a rebuild runs; ingest and all readers go on.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from psycopg.rows import args_row

from shared.storage.cursor import Cursor
from shared.storage.tables import response
from shared.storage.tallies import day_tally
from shared.storage.tallies.day_tally import Key

REBUILT = "rebuilt_tally"


class StoredResponse(NamedTuple):
    """What the tallies know of a response."""

    opd: str
    layanan: str
    day: date
    questionnaire: str
    channel: str
    sex: str | None
    age: int | None
    education: str | None
    occupation: str | None
    scores: str


def _of(table: str, columns: Sequence[str] = Key._fields) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


_KEY = ", ".join(Key._fields)
_NUMBERS = ("n", "counts", "complete", "total", "total_sq")
_LOCK = f"LOCK TABLE {day_tally.TABLE} IN SHARE ROW EXCLUSIVE MODE"
_CREATE = f"CREATE TEMPORARY TABLE {REBUILT} (LIKE {day_tally.TABLE} INCLUDING ALL) ON COMMIT DROP"
# In the order of the tallies' key, so that a tally is not touched again and again.
_ANSWERS = f"SELECT {', '.join(StoredResponse._fields)} FROM response ORDER BY opd, day"  # noqa: S608 - our own names
_REMOVE = f"""
DELETE FROM {day_tally.TABLE} AS t
WHERE NOT EXISTS (SELECT FROM {REBUILT} AS r WHERE ({_of("r")}) = ({_of("t")}))
"""  # noqa: S608 (a constant)
_REPLACE = f"""
INSERT INTO {day_tally.TABLE} AS t SELECT * FROM {REBUILT}
ON CONFLICT ({_KEY}) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NUMBERS)}
WHERE ({_of("t", _NUMBERS)}) IS DISTINCT FROM ({_of("excluded", _NUMBERS)})
"""  # noqa: S608 (a constant)


def count_responses(connection: sa.Connection) -> int:
    """How many responses there are."""
    return connection.scalar(sa.select(sa.func.count()).select_from(response)) or 0


def block_counting(cursor: Cursor) -> None:
    """Let no one count until this transaction ends."""
    cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    cursor.execute(_LOCK)


def create_rebuilt_table(cursor: Cursor) -> None:
    """Make an empty table for the new tallies; it is gone when this transaction ends."""
    cursor.execute(_CREATE)


def stored_responses(cursor: Cursor, size: int) -> Iterator[Sequence[StoredResponse]]:
    """All responses, so many at a time, by OPD and day."""
    with cursor.connection.cursor(
        "answers", binary=True, row_factory=args_row(StoredResponse)
    ) as reader:
        reader.execute(_ANSWERS)
        while found := reader.fetchmany(size):
            yield found


def add_deltas(cursor: Cursor, deltas: day_tally.Deltas) -> None:
    """Add to the new tallies."""
    day_tally.add_deltas(cursor, deltas, REBUILT)


def replace_tallies(cursor: Cursor) -> int:
    """Put the new tallies in the place of the old ones; how many rows that changed, made or removed."""
    cursor.execute(f"ANALYZE {REBUILT}")
    changed = 0
    for statement in (_REMOVE, _REPLACE):
        cursor.execute(statement)
        changed += cursor.rowcount
    return changed


def mark_all_stale(cursor: Cursor) -> int:
    """Make every OPD stale, past days too; how many."""
    cursor.execute(f"SELECT opd FROM opd_state UNION SELECT opd FROM {REBUILT}")  # noqa: S608 (a constant)
    opds = [(str(opd), True) for (opd,) in cursor]
    day_tally.mark_stale(cursor, opds)
    return len(opds)

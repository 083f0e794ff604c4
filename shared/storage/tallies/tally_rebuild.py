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

from psycopg.rows import args_row

from shared.storage.cursor import Cursor
from shared.storage.tallies import day_tally

_REBUILT = "rebuilt_tally"


class StoredResponse(NamedTuple):
    """What the tallies need of a response."""

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


_COUNT_RESPONSES = "SELECT count(*) FROM response"
# A rebuild reads every response: it takes as long as it takes.
_LIFT_TIME_LIMIT = "SET LOCAL statement_timeout = 0"
_BLOCK_COUNTING = "LOCK TABLE day_tally IN SHARE ROW EXCLUSIVE MODE"
_CREATE_REBUILT = """
CREATE TEMPORARY TABLE rebuilt_tally (LIKE day_tally INCLUDING ALL) ON COMMIT DROP
"""
# All responses in the order of the tallies' key, so that a tally is not touched again and again.
_SELECT_RESPONSES = """
SELECT opd, layanan, day, questionnaire, channel, sex, age, education, occupation, scores
FROM response ORDER BY opd, day
"""
# Let OPDs keep the tallies that they have.
_FORGET_REBUILT = "DELETE FROM rebuilt_tally WHERE opd = ANY(%(opds)s::text[])"
_KEEP = """
INSERT INTO rebuilt_tally (opd, facet, day, layanan, value, questionnaire,
  n, counts, complete, total, total_sq)
SELECT opd, facet, day, layanan, value, questionnaire, n, counts, complete, total, total_sq
FROM day_tally WHERE opd = ANY(%(opds)s::text[])
"""
# A temporary table has no statistics of its own accord, and the next two statements join it.
_ANALYZE = "ANALYZE rebuilt_tally"
# Delete the tallies that no response adds up to.
_DELETE_OTHERS = """
DELETE FROM day_tally
WHERE NOT EXISTS (
  SELECT FROM rebuilt_tally AS rebuilt
  WHERE (rebuilt.opd, rebuilt.facet, rebuilt.day, rebuilt.layanan, rebuilt.value,
      rebuilt.questionnaire)
    = (day_tally.opd, day_tally.facet, day_tally.day, day_tally.layanan, day_tally.value,
      day_tally.questionnaire))
"""
# Write the tallies that are missing or different.
_WRITE_REBUILT = """
INSERT INTO day_tally AS tally (opd, facet, day, layanan, value, questionnaire,
  n, counts, complete, total, total_sq)
SELECT opd, facet, day, layanan, value, questionnaire, n, counts, complete, total, total_sq
FROM rebuilt_tally
ON CONFLICT (opd, facet, day, layanan, value, questionnaire) DO UPDATE SET
  n = excluded.n, counts = excluded.counts, complete = excluded.complete,
  total = excluded.total, total_sq = excluded.total_sq
WHERE (tally.n, tally.counts, tally.complete, tally.total, tally.total_sq)
  IS DISTINCT FROM
  (excluded.n, excluded.counts, excluded.complete, excluded.total, excluded.total_sq)
"""
# Every OPD that has a state or is to have tallies.
_SELECT_OPDS = "SELECT opd FROM opd_state UNION SELECT opd FROM rebuilt_tally"


def count_responses(cursor: Cursor) -> int:
    """Return how many responses there are."""
    cursor.execute(_COUNT_RESPONSES)
    return next(number for (number,) in cursor if isinstance(number, int))


def block_counting(cursor: Cursor) -> None:
    """Let no one count until this transaction ends."""
    cursor.execute(_LIFT_TIME_LIMIT)
    cursor.execute(_BLOCK_COUNTING)


def create_rebuilt_table(cursor: Cursor) -> None:
    """Make an empty table for the new tallies; it is gone when this transaction ends."""
    cursor.execute(_CREATE_REBUILT)


def stored_responses(cursor: Cursor, size: int) -> Iterator[Sequence[StoredResponse]]:
    """Yield all responses, so many at a time, by OPD and day."""
    with cursor.connection.cursor(
        "stored_responses", binary=True, row_factory=args_row(StoredResponse)
    ) as reader:
        reader.execute(_SELECT_RESPONSES)
        while chunk := reader.fetchmany(size):
            yield chunk


def add_deltas(cursor: Cursor, deltas: day_tally.Deltas) -> None:
    """Add to the new tallies."""
    day_tally.add_deltas(cursor, deltas, _REBUILT)


def keep_tallies(cursor: Cursor, opds: Sequence[str]) -> None:
    """Let these OPDs keep the old tallies: theirs could not be worked out."""
    for statement in (_FORGET_REBUILT, _KEEP):
        cursor.execute(statement, {"opds": list(opds)})


def replace_tallies(cursor: Cursor) -> int:
    """Put the new tallies in the place of the old; return how many rows changed, came or went."""
    cursor.execute(_ANALYZE)
    changed = 0
    for statement in (_DELETE_OTHERS, _WRITE_REBUILT):
        cursor.execute(statement)
        changed += cursor.rowcount
    return changed


def mark_all_stale(cursor: Cursor) -> int:
    """Make every OPD stale, past days too; return how many there are."""
    cursor.execute(_SELECT_OPDS)
    opds = [(str(opd), True) for (opd,) in cursor]
    day_tally.mark_stale(cursor, opds)
    return len(opds)

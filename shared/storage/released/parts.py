"""The rows of released tallies: each is a part of a bin."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from shared.storage.tables import released_tally


class PartKey(NamedTuple):
    """The key of a part of a bin, in the order of the table's primary key."""

    opd: str
    period: str
    layanan: str  # "" for a pool of leftovers
    questionnaire: str
    part: str  # released, candidate, pooled, left
    pool: str  # of what is pooled: the period of the pool that took it


class StoredPart(NamedTuple):
    """A part of a bin: its tally, and how it came about."""

    key: PartKey
    first: date
    last: date
    n: int
    counts: Sequence[int]
    complete: int
    total: int
    total_sq: int
    steps: int
    released_at: datetime | None


# Write parts, given as one JSON array, in the place of those with the same key.
_REPLACE_PARTS = sa.text("""
INSERT INTO released_tally (opd, period, layanan, questionnaire, part, pool, first, last,
  n, counts, complete, total, total_sq, steps, released_at)
SELECT opd, period, layanan, questionnaire, part, pool, first, last,
  n, counts, complete, total, total_sq, steps, released_at
FROM jsonb_to_recordset(CAST(:parts AS jsonb)) AS part (
  opd text, period text, layanan text, questionnaire text, part text, pool text, first date,
  last date, n bigint, counts bigint[], complete bigint, total bigint, total_sq bigint,
  steps integer, released_at timestamptz)
ON CONFLICT (opd, period, layanan, questionnaire, part, pool) DO UPDATE SET
  n = excluded.n, counts = excluded.counts, complete = excluded.complete, total = excluded.total,
  total_sq = excluded.total_sq, steps = excluded.steps, released_at = excluded.released_at
""")
# Delete the parts with these keys, given as one JSON array.
_DELETE_PARTS = sa.text("""
DELETE FROM released_tally
WHERE (opd, period, layanan, questionnaire, part, pool) IN (
  SELECT opd, period, layanan, questionnaire, part, pool
  FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS key (
    opd text, period text, layanan text, questionnaire text, part text, pool text))
""")

_KEY_COLUMNS = [released_tally.c[name] for name in PartKey._fields]
_TALLY_COLUMNS = [released_tally.c[name] for name in StoredPart._fields if name != "key"]


def read_parts(
    connection: sa.Connection, opds: Sequence[str] | None = None, since: date | None = None
) -> list[StoredPart]:
    """Return the parts of all bins of these OPDs, or of all; of periods that last until a day."""
    query = sa.select(*_KEY_COLUMNS, *_TALLY_COLUMNS).order_by(*_KEY_COLUMNS)
    if opds is not None:
        query = query.where(released_tally.c.opd.in_(opds))
    if since is not None:
        query = query.where(released_tally.c.last >= since)
    width = len(PartKey._fields)
    return [StoredPart(PartKey(*row[:width]), *row[width:]) for row in connection.execute(query)]


def replace_parts(connection: sa.Connection, parts: Iterable[StoredPart]) -> None:
    """Write the parts in the place of those with the same key."""
    rows = [part.key._asdict() | part._asdict() for part in parts]
    if rows:
        for row in rows:
            del row["key"]
        connection.execute(_REPLACE_PARTS, {"parts": msgspec.json.encode(rows).decode()})


def delete_parts(connection: sa.Connection, keys: Iterable[PartKey]) -> None:
    """Delete the parts with these keys."""
    rows = [key._asdict() for key in keys]
    if rows:
        connection.execute(_DELETE_PARTS, {"keys": msgspec.json.encode(rows).decode()})

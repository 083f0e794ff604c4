"""The day tallies: integer sums that every figure is made of. Deltas are added in one statement, keys sorted."""

from array import array
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from shared.storage import binary
from shared.storage.cursor import Cursor


class Key(NamedTuple):
    """The key of a day tally, in the order of the table's primary key."""

    opd: str
    facet: str
    day: date
    layanan: str
    value: str
    questionnaire: str


class Deltas(NamedTuple):
    """What to add, in parallel columns: keys distinct and sorted, `counts` with `width` integers a key."""

    keys: Sequence[Key]
    width: int
    n: Sequence[int]
    counts: "array[int]"
    complete: Sequence[int]
    total: Sequence[int]
    total_sq: Sequence[int]


TABLE = "day_tally"
_STATES = """
INSERT INTO opd_state AS s (opd, version, past_version)
SELECT o, 1, CASE WHEN p THEN 1 ELSE 0 END FROM unnest(%s::text[], %s::bool[]) AS x (o, p)
ON CONFLICT (opd) DO UPDATE SET
  version = s.version + 1,
  past_version = CASE WHEN excluded.past_version = 1 THEN s.version + 1 ELSE s.past_version END
"""


def add_deltas(cursor: Cursor, deltas: Deltas, table: str = TABLE) -> None:
    """Add the deltas to the table, or to one that is like it."""
    keys = deltas.keys
    cursor.execute(
        _add(deltas.width, table),
        (
            binary.repeated([key.opd for key in keys]),
            binary.repeated([key.facet for key in keys]),
            binary.days([key.day for key in keys]),
            binary.repeated([key.layanan for key in keys]),
            binary.repeated([key.value for key in keys]),
            binary.repeated([key.questionnaire for key in keys]),
            binary.integers(deltas.n),
            binary.integers(deltas.complete),
            binary.bigints(deltas.total),
            binary.bigints(deltas.total_sq),
            binary.integers(deltas.counts),
        ),
    )


def mark_stale(cursor: Cursor, opds: Sequence[tuple[str, bool]]) -> None:
    """Make OPDs stale, in sorted order; True: a day that lies in the past was touched too."""
    ordered = sorted(opds)
    cursor.execute(_STATES, ([opd for opd, _ in ordered], [past for _, past in ordered]))


@lru_cache(maxsize=16)
def _add(width: int, table: str) -> str:
    sums = ", ".join(f"t.counts[{i}] + excluded.counts[{i}]" for i in range(1, width + 1))
    return f"""
INSERT INTO {table} AS t
  (opd, facet, day, layanan, value, questionnaire, n, complete, total, total_sq, counts)
SELECT o, f, d, l, v, q, n, k, s, ss, flat.counts[(i - 1) * {width} + 1 : i * {width}]
FROM unnest(%b::text[], %b::text[], %b::date[], %b::text[], %b::text[], %b::text[],
            %b::int4[], %b::int4[], %b::int8[], %b::int8[]) WITH ORDINALITY AS x (o, f, d, l, v, q, n, k, s, ss, i),
     (SELECT %b::int4[] AS counts) AS flat
ON CONFLICT (opd, facet, day, layanan, value, questionnaire) DO UPDATE SET
  n = t.n + excluded.n, complete = t.complete + excluded.complete,
  total = t.total + excluded.total, total_sq = t.total_sq + excluded.total_sq,
  counts = ARRAY[{sums}]
"""  # noqa: S608 - built from a number and the names of tables

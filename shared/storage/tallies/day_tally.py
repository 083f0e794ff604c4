"""The day tallies: integer sums that every figure is made of.

Deltas are added in one statement, keys sorted: two workers wait for each other and never deadlock.
"""

from array import array
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from shared.storage import binary
from shared.storage.cursor import Cursor


class TallyKey(NamedTuple):
    """The key of a day tally, in the order of the table's primary key."""

    opd: str
    facet: str
    day: date
    layanan: str
    value: str
    questionnaire: str


class Deltas(NamedTuple):
    """What to add, column by column.

    `keys`: distinct and sorted; `counts`: `width` numbers a key.
    """

    keys: Sequence[TallyKey]
    width: int
    n: Sequence[int]
    counts: "array[int]"
    complete: Sequence[int]
    total: Sequence[int]
    total_sq: Sequence[int]


# Give OPDs their next version; where a past day was touched, that is the version of the past too.
_MARK_STALE = """
INSERT INTO opd_state AS state (opd, version, past_version)
SELECT opd, 1, is_past::int
FROM unnest(%(opds)s::text[], %(are_past)s::bool[]) AS touched (opd, is_past)
ON CONFLICT (opd) DO UPDATE SET
  version = state.version + 1,
  past_version = CASE WHEN excluded.past_version = 1 THEN state.version + 1
                 ELSE state.past_version END
"""


def add_deltas(cursor: Cursor, deltas: Deltas, table: str = "day_tally") -> None:
    """Add the deltas to the table, or to one that is like it."""
    keys = deltas.keys
    cursor.execute(
        _add_deltas(deltas.width, table),
        {
            "opds": binary.text_array([key.opd for key in keys]),
            "facets": binary.text_array([key.facet for key in keys]),
            "days": binary.date_array([key.day for key in keys]),
            "layanan": binary.text_array([key.layanan for key in keys]),
            "values": binary.text_array([key.value for key in keys]),
            "questionnaires": binary.text_array([key.questionnaire for key in keys]),
            "n": binary.int4_array(deltas.n),
            "complete": binary.int4_array(deltas.complete),
            "totals": binary.int8_array(deltas.total),
            "totals_sq": binary.int8_array(deltas.total_sq),
            "counts": binary.int4_array(deltas.counts),
        },
    )


def mark_stale(cursor: Cursor, opds: Sequence[tuple[str, bool]]) -> None:
    """Make OPDs stale, in sorted order; True: a day that lies in the past was touched too."""
    ordered = sorted(opds)
    cursor.execute(
        _MARK_STALE,
        {"opds": [opd for opd, _ in ordered], "are_past": [is_past for _, is_past in ordered]},
    )


@lru_cache(maxsize=16)
def _add_deltas(width: int, table: str) -> str:
    """Return the statement that adds deltas; each key's counts are a part of one long array."""
    counts = ", ".join(f"tally.counts[{i}] + excluded.counts[{i}]" for i in range(1, width + 1))
    return f"""
INSERT INTO {table} AS tally
  (opd, facet, day, layanan, value, questionnaire, n, complete, total, total_sq, counts)
SELECT opd, facet, day, layanan, value, questionnaire, n, complete, total, total_sq,
  all_counts.counts[(position - 1) * {width} + 1 : position * {width}]
FROM
  unnest(%(opds)b::text[], %(facets)b::text[], %(days)b::date[], %(layanan)b::text[],
    %(values)b::text[], %(questionnaires)b::text[], %(n)b::int4[], %(complete)b::int4[],
    %(totals)b::int8[], %(totals_sq)b::int8[])
    WITH ORDINALITY AS delta (opd, facet, day, layanan, value, questionnaire, n, complete,
      total, total_sq, position),
  (SELECT %(counts)b::int4[] AS counts) AS all_counts
ON CONFLICT (opd, facet, day, layanan, value, questionnaire) DO UPDATE SET
  n = tally.n + excluded.n,
  complete = tally.complete + excluded.complete,
  total = tally.total + excluded.total,
  total_sq = tally.total_sq + excluded.total_sq,
  counts = ARRAY[{counts}]
"""  # noqa: S608 - built from a number and the names of tables

"""The day tallies recomputed from the responses in SQL alone.

Nothing of how counting adds them up is used here: text is cut with substr, facets are a VALUES
list, sums are SUM, and a FULL JOIN says where the two differ.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import sqlalchemy as sa

from shared.domain.questionnaire import SCORES, Questionnaire
from shared.storage.tables import day_tally

EXAMPLES = 10
RANGE_RESPONSES = 500_000  # that one statement recomputes, about; a range costs a scan of them all
MOST_RANGES = 20


class OpdRange(NamedTuple):
    """The OPDs with `after` < opd <= `until`; None: no bound."""

    after: str | None
    until: str | None


class TallyNumbers(NamedTuple):
    """The numbers of one day tally."""

    n: int
    complete: int
    total: int
    total_sq: int
    counts: Sequence[int]


class TallyDifference(NamedTuple):
    """A day tally that is not what the responses add up to; None: there is no such row."""

    opd: str
    facet: str
    day: date
    layanan: str
    value: str
    questionnaire: str
    stored: TallyNumbers | None
    recomputed: TallyNumbers | None


class TallyDifferences(NamedTuple):
    """How many there are, and the first few."""

    total: int
    examples: Sequence[TallyDifference]


def opd_ranges(connection: sa.Connection) -> list[OpdRange]:
    """Return ranges of OPDs with about as many responses each; together they leave none out."""
    table = day_tally.c
    query = (
        sa.select(table.opd, sa.func.sum(table.n))
        .where(table.facet == "all")
        .group_by(table.opd)
        .order_by(table.opd)
    )
    sizes = [(opd, size) for opd, size in connection.execute(query)]
    total = sum(size for _, size in sizes)
    number = max(1, min(MOST_RANGES, total // RANGE_RESPONSES))
    bounds = list(_bounds(sizes, total / number))
    return [OpdRange(*pair) for pair in zip([None, *bounds], [*bounds, None], strict=True)]


def single_opds(connection: sa.Connection, opds: OpdRange) -> list[OpdRange]:
    """Return the ranges of one OPD each that a range is made of; together they leave none out."""
    codes = list(
        connection.scalars(sa.text(_SELECT_OPDS), {"after": opds.after, "until": opds.until})
    )
    bounds = [opds.after, *codes[:-1], opds.until]
    return [OpdRange(*pair) for pair in pairwise(bounds)]


def differences(
    connection: sa.Connection, opds: OpdRange, questionnaires: Collection[Questionnaire]
) -> TallyDifferences:
    """Compare the stored tallies of some OPDs with what their responses add up to."""
    widest = max(questionnaire.size for questionnaire in questionnaires)
    values: dict[str, Any] = {
        "after": opds.after,
        "until": opds.until,
        "examples": EXAMPLES,
        "codes": [questionnaire.code for questionnaire in questionnaires],
        "sizes": [questionnaire.size for questionnaire in questionnaires],
    }
    for unsur in range(widest):
        values[f"weights_{unsur}"] = [
            questionnaire.weights[unsur] if unsur < questionnaire.size else 0
            for questionnaire in questionnaires
        ]
    rows = connection.execute(sa.text(_compare(widest)), values).all()
    total = rows[0].differing if rows else 0
    return TallyDifferences(total, [_difference(row) for row in rows])


def _bounds(sizes: Sequence[tuple[str, int]], range_size: float) -> Iterator[str]:
    """Yield the last OPD of each range but the last."""
    ranges, responses = 1, 0
    for opd, size in sizes[:-1]:
        responses += size
        if responses >= ranges * range_size:
            ranges += 1
            yield opd


def _difference(row: sa.Row[Any]) -> TallyDifference:
    key = (row.opd, row.facet, row.day, row.layanan, row.value, row.questionnaire)
    return TallyDifference(*key, _numbers(row, "stored"), _numbers(row, "recomputed"))


def _numbers(row: sa.Row[Any], source: str) -> TallyNumbers | None:
    values = [getattr(row, f"{source}_{name}") for name in TallyNumbers._fields]
    return None if values[0] is None else TallyNumbers(*values)


_KEY = "opd, facet, day, layanan, value, questionnaire"
_AGE_GROUP = """CASE WHEN age < 20 THEN '0-19' WHEN age < 30 THEN '20-29' WHEN age < 40 THEN '30-39'
       WHEN age < 50 THEN '40-49' WHEN age < 60 THEN '50-59' WHEN age >= 60 THEN '60+' END"""
_IN_RANGE = """(CAST(:after AS text) IS NULL OR opd > :after)
    AND (CAST(:until AS text) IS NULL OR opd <= :until)"""

# The OPDs of a range that have responses or tallies.
_SELECT_OPDS = f"""
SELECT opd FROM (SELECT opd FROM day_tally UNION SELECT opd FROM response) AS counted
WHERE {_IN_RANGE} ORDER BY opd
"""  # noqa: S608 - built from a condition


def _compare(widest: int) -> str:
    """Return the statement that compares, for questionnaires of at most so many unsur.

    Bits (which score an unsur got) are worked out once a response, then summed.
    """
    digits = [f"substr(scores, {unsur + 1}, 1)" for unsur in range(widest)]
    bits = {
        f"bit_{unsur}_{score}": f"({digit} = '{score}')::int"
        for unsur, digit in enumerate(digits)
        for score in SCORES
    }
    bit_columns = ", ".join(f"{expression} AS {bit}" for bit, expression in bits.items())
    bit_sums = ", ".join(f"sum({bit})" for bit in bits)
    weights = ", ".join(f"weight_{unsur}" for unsur in range(widest))
    weight_arrays = ", ".join(f"CAST(:weights_{unsur} AS int8[])" for unsur in range(widest))
    # strpos is the digit's value; beyond the end of a shorter questionnaire the weight is 0.
    total = " + ".join(
        f"weight_{unsur} * strpos('1234', {digit})" for unsur, digit in enumerate(digits)
    )
    numbers = ", ".join(
        f"{source}.{name} AS {source}_{name}"
        for source in ("stored", "recomputed")
        for name in TallyNumbers._fields
    )
    return f"""
WITH questionnaires AS (
  SELECT * FROM unnest(CAST(:codes AS text[]), CAST(:sizes AS int[]), {weight_arrays})
    AS questionnaire (code, size, {weights})
), responses AS (
  SELECT opd, day, layanan, questionnaire, size, channel, sex, {_AGE_GROUP} AS age,
    education, occupation,
    CASE WHEN strpos(scores, '-') = 0 THEN 1 ELSE 0 END AS complete,
    CASE WHEN strpos(scores, '-') = 0 THEN {total} ELSE 0 END AS total,
    {bit_columns}
  FROM response JOIN questionnaires ON code = questionnaire
  WHERE {_IN_RANGE}
  OFFSET 0  -- or the planner works the bits out once a facet
), recomputed AS (
  SELECT {_KEY}, count(*)::int AS n, sum(complete)::int AS complete, sum(total)::int8 AS total,
    sum(total * total)::int8 AS total_sq,
    (ARRAY[{bit_sums}]::int[])[1 : {len(SCORES)} * max(size)] AS counts
  FROM responses, LATERAL (VALUES ('all', ''), ('sex', sex), ('age', age), ('education', education),
    ('occupation', occupation), ('channel', channel)) AS facets (facet, value)
  WHERE value IS NOT NULL
  GROUP BY {_KEY}
), stored AS (
  SELECT * FROM day_tally WHERE {_IN_RANGE}
)
SELECT {_KEY}, count(*) OVER () AS differing, {numbers}
FROM stored FULL JOIN recomputed USING ({_KEY})
WHERE (stored.n, stored.complete, stored.total, stored.total_sq, stored.counts)
  IS DISTINCT FROM
  (recomputed.n, recomputed.complete, recomputed.total, recomputed.total_sq, recomputed.counts)
ORDER BY {_KEY}
LIMIT :examples
"""  # noqa: S608 - built from numbers

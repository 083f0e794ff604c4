"""The day tallies recomputed from the responses in SQL alone: nothing of how counting adds them up is used here.

Text is cut with substr, facets are a VALUES list, sums are SUM, and a FULL JOIN says where the two
differ.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa

from shared.domain.questionnaire import SCORES, Questionnaire
from shared.storage.tables import day_tally

EXAMPLES = 10
SLICE = 500_000  # responses that one statement recomputes, about; a slice costs a scan of them all
SLICES = 20  # at most


class OpdRange(NamedTuple):
    """OPDs `after` < opd <= `until`; None: no bound."""

    after: str | None
    until: str | None


class TallyNumbers(NamedTuple):
    """The numbers of one day tally: n, complete, total, total_sq and the counts."""

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
    """Cut the OPDs so that each slice has about the same number of responses; together they leave none out."""
    table = day_tally.c
    query = (
        sa.select(table.opd, sa.func.sum(table.n)).where(table.facet == "all").group_by(table.opd)
    )
    sizes = [(row[0], row[1]) for row in connection.execute(query.order_by(table.opd))]
    wanted = max(1, min(SLICES, sum(size for _, size in sizes) // SLICE))
    bounds = list(_bounds(sizes, wanted))
    return [OpdRange(*pair) for pair in zip([None, *bounds], [*bounds, None], strict=True)]


def differences(
    connection: sa.Connection, part: OpdRange, questionnaires: Collection[Questionnaire]
) -> TallyDifferences:
    """Compare the stored tallies of some OPDs with what their responses add up to."""
    known = sorted(questionnaires, key=lambda one: one.code)
    widest = max(one.size for one in known)
    values: dict[str, Any] = {
        **part._asdict(),
        "examples": EXAMPLES,
        "codes": [one.code for one in known],
        "sizes": [one.size for one in known],
    }
    for u in range(widest):
        values[f"w{u}"] = [one.weights[u] if u < one.size else 0 for one in known]
    found = connection.execute(sa.text(_statement(widest)), values).all()
    return TallyDifferences(found[0].differing if found else 0, [_difference(row) for row in found])


def _bounds(sizes: Sequence[tuple[str, int]], wanted: int) -> Iterator[str]:
    per_slice = sum(size for _, size in sizes) / wanted
    full, seen = 1, 0
    for opd, size in sizes[:-1]:
        seen += size
        if seen >= full * per_slice:
            full += 1
            yield opd


def _difference(row: sa.Row[Any]) -> TallyDifference:
    def cell(prefix: str) -> TallyNumbers | None:
        values = [getattr(row, f"{prefix}_{name}") for name in TallyNumbers._fields]
        return None if values[0] is None else TallyNumbers(*values)

    return TallyDifference(
        row.opd,
        row.facet,
        row.day,
        row.layanan,
        row.value,
        row.questionnaire,
        cell("stored"),
        cell("recomputed"),
    )


_KEY = "opd, facet, day, layanan, value, questionnaire"
_AGE = """CASE WHEN age < 20 THEN '0-19' WHEN age < 30 THEN '20-29' WHEN age < 40 THEN '30-39'
       WHEN age < 50 THEN '40-49' WHEN age < 60 THEN '50-59' WHEN age >= 60 THEN '60+' END"""
_WITHIN = "(CAST(:after AS text) IS NULL OR opd > :after) AND (CAST(:until AS text) IS NULL OR opd <= :until)"


def _statement(widest: int) -> str:
    """One statement for questionnaires of at most so many unsur. Bits are worked out once a response, then summed."""
    digits = [f"substr(scores, {u + 1}, 1)" for u in range(widest)]
    bits = [
        (f"b{u}_{score}", f"({digit} = '{score}')::int")
        for u, digit in enumerate(digits)
        for score in SCORES
    ]
    weights = ", ".join(f"w{u}" for u in range(widest))
    arrays = ", ".join(f"CAST(:w{u} AS int[])" for u in range(widest))
    # strpos is the digit's value; beyond the end of a shorter questionnaire the weight is 0.
    weighted = " + ".join(f"w{u} * strpos('1234', {digit})" for u, digit in enumerate(digits))
    numbers = ", ".join(
        f"{source}.{name} AS {source}_{name}"
        for source in ("stored", "recomputed")
        for name in TallyNumbers._fields
    )
    return f"""
WITH questionnaires AS (
  SELECT * FROM unnest(CAST(:codes AS text[]), CAST(:sizes AS int[]), {arrays}) AS x (code, size, {weights})
), answers AS (
  SELECT opd, day, layanan, questionnaire, size, channel, sex, {_AGE} AS age, education, occupation,
    CASE WHEN strpos(scores, '-') = 0 THEN 1 ELSE 0 END AS complete,
    CASE WHEN strpos(scores, '-') = 0 THEN {weighted} ELSE 0 END AS total,
    {", ".join(f"{expression} AS {name}" for name, expression in bits)}
  FROM response JOIN questionnaires ON code = questionnaire
  WHERE {_WITHIN}
  OFFSET 0
), recomputed AS (
  SELECT {_KEY}, count(*)::int AS n, sum(complete)::int AS complete, sum(total)::int8 AS total,
    sum(total * total)::int8 AS total_sq,
    (ARRAY[{", ".join(f"sum({name})" for name, _ in bits)}]::int[])[1 : {len(SCORES)} * max(size)] AS counts
  FROM answers, LATERAL (VALUES ('all', ''), ('sex', sex), ('age', age), ('education', education),
    ('occupation', occupation), ('channel', channel)) AS facets (facet, value)
  WHERE value IS NOT NULL
  GROUP BY {_KEY}
), stored AS (
  SELECT * FROM day_tally WHERE {_WITHIN}
)
SELECT {_KEY}, count(*) OVER () AS differing,
  {numbers}
FROM stored FULL JOIN recomputed USING ({_KEY})
WHERE (stored.n, stored.complete, stored.total, stored.total_sq, stored.counts)
  IS DISTINCT FROM (recomputed.n, recomputed.complete, recomputed.total, recomputed.total_sq, recomputed.counts)
ORDER BY {_KEY}
LIMIT :examples
"""  # noqa: S608 - built from numbers

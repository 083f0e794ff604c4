"""Rules that every row of a table must keep, all of them asked in one scan.

Of rows that break a rule a few are named and all are counted, whatever their number: PostgreSQL
does the work and nothing is collected here.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

EXAMPLES = 5


class RowRule(NamedTuple):
    """What must not be: in words, as a condition on a row, and the values that show it.

    A condition that is NULL is not met.
    """

    wrong: str
    is_broken: sa.ColumnElement[bool]
    shown: Sequence[sa.ColumnElement[Any]] = ()


class Mismatches(NamedTuple):
    """How many rows are wrong in one way, and the keys of the first few."""

    wrong: str
    total: int
    examples: Sequence[str]


def broken(
    connection: sa.Connection,
    rows: sa.FromClause,
    key: Sequence[sa.ColumnElement[Any]],
    rules: Sequence[RowRule],
) -> Iterator[Mismatches]:
    """Yield the rules that some of the rows break."""
    numbers = (sa.func.count().filter(rule.is_broken) for rule in rules)
    totals = connection.execute(sa.select(*numbers).select_from(rows)).one()
    for rule, total in zip(rules, totals, strict=True):
        if total:
            query = sa.select(*key, *rule.shown).select_from(rows).where(rule.is_broken)
            examples = connection.execute(query.order_by(*key).limit(EXAMPLES))
            yield Mismatches(rule.wrong, total, [_in_words(row, len(key)) for row in examples])


def _in_words(row: sa.Row[Any], key_size: int) -> str:
    """Return the key of a row, and in brackets what shows its fault."""
    key = "/".join(str(part) for part in row[:key_size])
    shown = " ".join(
        f"{name}={value}"
        for name, value in zip(row._fields[key_size:], row[key_size:], strict=True)
    )
    return f"{key} [{shown}]" if shown else key

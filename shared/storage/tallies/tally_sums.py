"""Sums of day tallies, by segment of days or by value of a facet: what every figure is computed from.

Rows of different questionnaires are never added up here: their unsur may differ. `size` is the
number of unsur of the largest questionnaire that is known; a row of a smaller one has zeros at the
end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.questionnaire import SCORES
from shared.domain.tally import Tally
from shared.storage.tables import day_tally

Vector = tuple[
    int, ...
]  # n, complete, total, total_sq, then the counts: one flat tuple is quick to add
_FIXED = 4


class SegmentSum(NamedTuple):
    """The sum of one questionnaire's day tallies in a segment of days, numbered from 0."""

    opd: str
    layanan: str
    questionnaire: str
    segment: int
    vector: Vector


class ValueSum(NamedTuple):
    """The sum of the day tallies of one value of a facet and one questionnaire."""

    value: str
    questionnaire: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Scope:
    """Which day tallies: local days, both ends included (None leaves that end open), and perhaps one layanan."""

    first: date | None = None
    last: date | None = None
    layanan: str | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions on a day tally."""
        conditions: list[sa.ColumnElement[bool]] = []
        if self.first is not None:
            conditions.append(day_tally.c.day >= self.first)
        if self.last is not None:
            conditions.append(day_tally.c.day <= self.last)
        if self.layanan is not None:
            conditions.append(day_tally.c.layanan == self.layanan)
        return conditions


EVERYTHING = Scope()


def as_tally(vector: Vector, size: int) -> Tally:
    """The tally of a questionnaire with so many unsur."""
    n, complete, total, total_sq = vector[:_FIXED]
    return Tally(n, vector[_FIXED : _FIXED + len(SCORES) * size], complete, total, total_sq)


def by_segment(
    connection: sa.Connection,
    opds: Sequence[str],
    size: int,
    borders: Sequence[date] = (),
    scope: Scope = EVERYTHING,
) -> list[SegmentSum]:
    """Per OPD, layanan and questionnaire the sums of every segment between the borders (see Segments)."""
    table = day_tally.c
    segment = sa.func.width_bucket(
        table.day, sa.bindparam("borders", list(borders), type_=ARRAY(sa.Date))
    )
    query = (
        sa.select(table.opd, table.layanan, table.questionnaire, segment, _vector(size))
        .where(table.opd.in_(opds), table.facet == "all", *scope.conditions())
        .group_by(table.opd, table.layanan, table.questionnaire, segment)
    )
    return [
        SegmentSum(opd, layanan, code, at, tuple(vector))
        for opd, layanan, code, at, vector in connection.execute(query)
    ]


def by_value(
    connection: sa.Connection, opd: str, facet: str, size: int, scope: Scope = EVERYTHING
) -> list[ValueSum]:
    """The sums of one OPD per value of a facet; facet "layanan" is that of all respondents by layanan."""
    table = day_tally.c
    value = table.layanan if facet == "layanan" else table.value
    query = (
        sa.select(value, table.questionnaire, _vector(size))
        .where(
            table.opd == opd,
            table.facet == ("all" if facet == "layanan" else facet),
            *scope.conditions(),
        )
        .group_by(value, table.questionnaire)
        .order_by(value)
    )
    return [
        ValueSum(found, code, tuple(vector)) for found, code, vector in connection.execute(query)
    ]


def extent(
    connection: sa.Connection, opd: str, scope: Scope = EVERYTHING
) -> tuple[date, date] | None:
    """The first and the last local day with a respondent."""
    table = day_tally.c
    query = sa.select(sa.func.min(table.day), sa.func.max(table.day)).where(
        table.opd == opd, table.facet == "all", table.n > 0, *scope.conditions()
    )
    first, last = connection.execute(query).one()
    return None if first is None else (first, last)


@lru_cache(maxsize=16)
def _vector(size: int) -> sa.ColumnElement[Sequence[int]]:
    """The sums as one array; as text, since forty expressions would be walked through anew for every query."""
    columns = [
        "n",
        "complete",
        "total",
        "total_sq",
        *(f"counts[{i}]" for i in range(1, len(SCORES) * size + 1)),
    ]
    sums = ", ".join(f"coalesce(sum(day_tally.{column}), 0)" for column in columns)
    return sa.literal_column(f"CAST(ARRAY[{sums}] AS bigint[])", ARRAY(sa.BigInteger))

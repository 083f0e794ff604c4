"""Sums of day tallies, by segment of days or by value of a facet: what every figure is made of.

Rows of different questionnaires are never added up here: their unsur may differ. `size` is the
number of unsur of the registry's largest questionnaire; a row of a smaller one ends with zeros.
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

# n, complete, total, total_sq, then the counts: one flat tuple is quick to add.
Vector = tuple[int, ...]
_BEFORE_COUNTS = 4


class SegmentSum(NamedTuple):
    """The sum of one questionnaire's day tallies in a segment of days, numbered from 0."""

    opd: str
    layanan: str
    questionnaire: str
    segment: int
    vector: Vector


class MonthSum(NamedTuple):
    """The part of a segment's sum that lies in one month."""

    opd: str
    layanan: str
    questionnaire: str
    segment: int
    month: date  # its first day
    vector: Vector


class ValueSum(NamedTuple):
    """The sum of the day tallies of one value of a facet and one questionnaire."""

    value: str
    questionnaire: str
    vector: Vector


class FacetSum(NamedTuple):
    """The sum of the day tallies of a month, layanan, value of a facet and questionnaire."""

    facet: str
    layanan: str
    month: str
    value: str
    questionnaire: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Scope:
    """Which day tallies: local days, both ends included (None: open), and perhaps one layanan."""

    first: date | None = None
    last: date | None = None
    layanan: str | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return the scope as conditions on a day tally."""
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
    """Return the tally of a questionnaire with so many unsur."""
    n, complete, total, total_sq = vector[:_BEFORE_COUNTS]
    counts = vector[_BEFORE_COUNTS : _BEFORE_COUNTS + len(SCORES) * size]
    return Tally(n, counts, complete, total, total_sq)


def as_vector(tally: Tally) -> Vector:
    """Return the vector of a tally, as long as its questionnaire."""
    return (tally.n, tally.complete, tally.total, tally.total_sq, *tally.counts)


def padded(vector: Vector, length: int) -> Vector:
    """Return a vector with zeros for the unsur that only larger questionnaires have."""
    return (*vector, *(0,) * (length - len(vector)))


def by_segment(
    connection: sa.Connection,
    opds: Sequence[str],
    size: int,
    borders: Sequence[date] = (),
    scope: Scope = EVERYTHING,
) -> list[SegmentSum]:
    """Return the sums of every segment between the borders (see Segments).

    There is one per OPD, layanan and questionnaire that has any respondents.
    """
    table = day_tally.c
    groups = (table.opd, table.layanan, table.questionnaire, _segment(borders))
    query = (
        sa.select(*groups, vector_sum(size))
        .where(table.opd.in_(opds), table.facet == "all", *scope.conditions())
        .group_by(*groups)
    )
    return [
        SegmentSum(opd, layanan, questionnaire, segment, tuple(vector))
        for opd, layanan, questionnaire, segment, vector in connection.execute(query)
    ]


def by_segment_and_month(
    connection: sa.Connection,
    opds: Sequence[str],
    size: int,
    borders: Sequence[date],
    scope: Scope = EVERYTHING,
) -> list[MonthSum]:
    """Return the sums of every segment between the borders, those of different months apart."""
    table = day_tally.c
    month = sa.cast(sa.func.date_trunc("month", sa.cast(table.day, sa.DateTime)), sa.Date)
    groups = (table.opd, table.layanan, table.questionnaire, _segment(borders), month)
    query = (
        sa.select(*groups, vector_sum(size))
        .where(table.opd.in_(opds), table.facet == "all", *scope.conditions())
        .group_by(*groups)
    )
    return [
        MonthSum(opd, layanan, questionnaire, segment, month, tuple(vector))
        for opd, layanan, questionnaire, segment, month, vector in connection.execute(query)
    ]


def by_value(
    connection: sa.Connection,
    opds: Sequence[str],
    facet: str,
    size: int,
    scope: Scope = EVERYTHING,
) -> list[ValueSum]:
    """Return the sums of OPDs per value of a facet; "layanan" is all respondents by layanan."""
    table = day_tally.c
    is_by_layanan = facet == "layanan"
    value = table.layanan if is_by_layanan else table.value
    query = (
        sa.select(value, table.questionnaire, vector_sum(size))
        .where(
            table.opd.in_(opds),
            table.facet == ("all" if is_by_layanan else facet),
            *scope.conditions(),
        )
        .group_by(value, table.questionnaire)
        .order_by(value)
    )
    return [
        ValueSum(value_code, questionnaire, tuple(vector))
        for value_code, questionnaire, vector in connection.execute(query)
    ]


def by_month(connection: sa.Connection, opd: str, size: int, scope: Scope) -> list[FacetSum]:
    """Return the sums of an OPD by month and by everything else; all facets as they are now."""
    table = day_tally.c
    month = sa.func.to_char(table.day, "YYYY-MM")
    query = (
        sa.select(
            table.facet, table.layanan, month, table.value, table.questionnaire, vector_sum(size)
        )
        .where(table.opd == opd, *scope.conditions())
        .group_by(table.facet, table.layanan, month, table.value, table.questionnaire)
    )
    return [
        FacetSum(facet, layanan, month_name, value, questionnaire, tuple(vector))
        for facet, layanan, month_name, value, questionnaire, vector in connection.execute(query)
    ]


def extent(
    connection: sa.Connection, opd: str, scope: Scope = EVERYTHING
) -> tuple[date, date] | None:
    """Return the first and the last local day with a respondent."""
    table = day_tally.c
    query = sa.select(sa.func.min(table.day), sa.func.max(table.day)).where(
        table.opd == opd, table.facet == "all", table.n > 0, *scope.conditions()
    )
    first, last = connection.execute(query).one()
    return None if first is None else (first, last)


def _segment(borders: Sequence[date]) -> sa.ColumnElement[int]:
    array = sa.bindparam("borders", list(borders), type_=ARRAY(sa.Date))
    return sa.func.width_bucket(day_tally.c.day, array)


@lru_cache(maxsize=16)
def vector_sum(size: int, table: str = "day_tally") -> sa.ColumnElement[Sequence[int]]:
    """Return the sums of a table of tallies as one array, which makes a vector.

    As text: SQLAlchemy would walk through forty expressions anew for every query.
    """
    counts = (f"counts[{position}]" for position in range(1, len(SCORES) * size + 1))
    columns = ("n", "complete", "total", "total_sq", *counts)
    sums = ", ".join(f"coalesce(sum({table}.{column}), 0)" for column in columns)
    return sa.literal_column(f"CAST(ARRAY[{sums}] AS bigint[])", ARRAY(sa.BigInteger))

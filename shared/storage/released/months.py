"""Released tallies month by month: what a public trend is made of."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from shared.storage.tables import released_tally
from shared.storage.tallies.tally_sums import Vector, vector_sum

_IS_MONTH = released_tally.c.period.regexp_match("^[0-9]{4}-[0-9]{2}$")


class ReleasedMonth(NamedTuple):
    """What was released of one month and questionnaire."""

    month: str
    questionnaire: str
    vector: Vector
    released_at: datetime  # of the last step in it


def by_month(
    connection: sa.Connection, opd: str, size: int, layanan: str | None = None
) -> list[ReleasedMonth]:
    """Return the released sums of an OPD, its pools of a month among them, or of one layanan.

    In the order of the months. `size`: as in tally_sums.
    """
    table = released_tally.c
    query = (
        sa.select(
            table.period,
            table.questionnaire,
            vector_sum(size, released_tally.name),
            sa.func.max(table.released_at),
        )
        .where(*_of(opd, layanan), table.part == "released")
        .group_by(table.period, table.questionnaire)
        .order_by(table.period, table.questionnaire)
    )
    return [
        ReleasedMonth(month, questionnaire, tuple(vector), released_at)
        for month, questionnaire, vector, released_at in connection.execute(query)
    ]


def lacking_months(connection: sa.Connection, opd: str, layanan: str | None = None) -> set[str]:
    """Return the closed months whose figure lacks responses: they wait, or are in a longer pool.

    A layanan lacks also what is in the pool of the month itself.
    """
    table = released_tally.c
    query = sa.select(table.period).where(*_of(opd, layanan), table.part.in_(("left", "pooled")))
    if layanan is None:
        query = query.where(table.pool != table.period)
    return set(connection.scalars(query.distinct()))


def _of(opd: str, layanan: str | None) -> list[sa.ColumnElement[bool]]:
    conditions = [released_tally.c.opd == opd, _IS_MONTH]
    return conditions if layanan is None else [*conditions, released_tally.c.layanan == layanan]

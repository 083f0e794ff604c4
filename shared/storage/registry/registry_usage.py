"""What data there are that a change of the registry could orphan."""

from collections.abc import Callable
from datetime import date

import sqlalchemy as sa

from shared.domain.questionnaire import SKM_2017
from shared.registry.change import Usage
from shared.storage import tables


def read_usage(connection: sa.Connection) -> Usage:
    """Return what the data use, looked at once for all the changes of a file."""
    # Two index lookups a layanan, however many rows there are.
    first, last = _answered_on(sa.func.min), _answered_on(sa.func.max)
    days = sa.select(tables.layanan.c.opd, tables.layanan.c.code, first, last)
    return Usage(
        received=connection.scalar(sa.select(sa.exists().select_from(tables.receipt))) or False,
        days={
            (opd, layanan): (first_day, last_day)
            for opd, layanan, first_day, last_day in connection.execute(days)
            if first_day is not None
        },
        questionnaires=frozenset(connection.scalars(_answered_questionnaires())),
    )


def _answered_on(
    extreme: Callable[[sa.Column[date]], sa.ColumnElement[date]],
) -> sa.ScalarSelect[date]:
    tally, layanan = tables.day_tally, tables.layanan
    return (
        sa.select(extreme(tally.c.day))
        .where(
            tally.c.opd == layanan.c.opd,
            tally.c.facet == "all",
            tally.c.layanan == layanan.c.code,
            tally.c.n > 0,
        )
        .scalar_subquery()
    )


def _answered_questionnaires() -> sa.Select[tuple[str]]:
    """Select those of the instansi; the built-in one needs no look: it never changes."""
    tally, stored = tables.day_tally, tables.questionnaire
    answered = sa.exists().where(
        tally.c.questionnaire == stored.c.code, tally.c.facet == "all", tally.c.n > 0
    )
    return sa.select(stored.c.code).where(stored.c.code != SKM_2017.code, answered)

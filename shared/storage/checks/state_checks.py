"""Which OPDs a refresh knows, and whether their versions and days are possible."""

from collections.abc import Iterator
from datetime import date, timedelta

import sqlalchemy as sa

from shared.storage.checks.row_rules import Mismatches, RowRule, broken
from shared.storage.rolling import INSTANSI
from shared.storage.tables import (
    day_tally,
    opd,
    opd_state,
    released_breakdown,
    released_ikm,
    released_tally,
    rolling_ikm,
)

_OF_OPDS = (day_tally, rolling_ikm, released_tally, released_ikm, released_breakdown)


def impossible_states(connection: sa.Connection, zone: str) -> Iterator[Mismatches]:
    """Yield in which ways the state of an OPD cannot be, and of which OPDs."""
    state = opd_state.c
    tomorrow = _local_day(connection, zone) + timedelta(days=1)
    versions = [state.version, state.past_version, state.refreshed]
    releases = [state.releases, state.past_releases]
    last_of_month = sa.cast(
        sa.func.date_trunc("month", state.closed_to) + sa.text("interval '1 month - 1 day'"),
        sa.Date,
    )
    rules = (
        RowRule("the rows show a version that is not there yet",
                state.refreshed > state.version, versions),
        RowRule("the past was touched by a version that is not there yet",
                state.past_version > state.version, versions),
        RowRule("a past release is one that is not there yet",
                state.past_releases > state.releases, releases),
        RowRule("a version is negative",
                sa.or_(*(version < 0 for version in versions + releases)), versions + releases),
        RowRule("it is rolled to a day after tomorrow", state.as_of > tomorrow, [state.as_of]),
        RowRule("it is refreshed, but rolled to no day",
                sa.and_(state.refreshed > 0, state.as_of.is_(None)), versions),
        RowRule("it is closed to a day that is no month's last, or not over",
                sa.or_(state.closed_to != last_of_month, state.closed_to >= state.as_of),
                [state.closed_to, state.as_of]),
    )  # fmt: skip
    return broken(connection, opd_state, [state.opd], rules)


def impossible_versions(connection: sa.Connection) -> Iterator[Mismatches]:
    """Yield rolling rows with a version that their OPD, or all OPDs together, never had."""
    row, state = rolling_ikm.c, opd_state.c
    total = sa.select(sa.func.coalesce(sa.func.sum(state.version), 0)).scalar_subquery()
    most = sa.case((row.opd == INSTANSI, total), else_=state.refreshed)
    rows = rolling_ikm.outerjoin(opd_state, state.opd == row.opd)
    rule = RowRule(
        "the version is none that the tallies ever had",
        sa.or_(row.version < 0, row.version > most),
        [row.version, state.refreshed],
    )
    return broken(connection, rows, [row.opd, row.layanan, row.window], [rule])


def without_state(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Yield OPDs that no refresh would ever look at, each with a table that has rows of it."""
    for column in (opd.c.code, *(table.c.opd for table in _OF_OPDS)):
        has_state = sa.exists().where(opd_state.c.opd == column)
        query = sa.select(column).where(~has_state, column != INSTANSI).distinct().order_by(column)
        for code in connection.scalars(query):
            yield column.table.name, code


def _local_day(connection: sa.Connection, zone: str) -> date:
    """Return PostgreSQL's day in a zone."""
    today = sa.cast(sa.func.timezone(zone, sa.func.now()), sa.Date)
    return connection.execute(sa.select(today)).scalar_one()

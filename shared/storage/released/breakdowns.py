"""The public breakdowns of closed triwulan: what they are made of, how they are replaced."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec
import sqlalchemy as sa

from shared.storage.tables import opd_state, released_breakdown, released_tally
from shared.storage.tallies.tally_sums import Vector

_DAY = timedelta(days=1)

# Write breakdowns, given as one JSON array, in the place of those with the same key.
_REPLACE = sa.text("""
INSERT INTO released_breakdown (opd, period, facet, steps, withheld, parts, cells, released_at)
SELECT opd, period, facet, steps, withheld, parts, cells, released_at
FROM jsonb_to_recordset(CAST(:breakdowns AS jsonb)) AS breakdown (opd text, period text,
  facet text, steps bigint, withheld text[], parts jsonb, cells jsonb, released_at timestamptz)
ON CONFLICT (opd, period, facet) DO UPDATE SET
  steps = excluded.steps, withheld = excluded.withheld, parts = excluded.parts,
  cells = excluded.cells, released_at = excluded.released_at
""")


class ReleasedCell(msgspec.Struct, frozen=True):
    """The respondents of one value who answered one questionnaire; "": they did not tell."""

    value: str
    questionnaire: str
    vector: Vector


class ReleasedBreakdown(msgspec.Struct, frozen=True):
    """The breakdown of an OPD (or INSTANSI) in one triwulan by one facet.

    `parts`: respondents by the part of the triwulan that they belong to, and by value. `steps`: as
    many were in the triwulan when it was last looked at. `released_at` None: it is empty.
    """

    opd: str
    period: str
    facet: str
    steps: int
    withheld: Sequence[str] = ()
    parts: Mapping[str, Mapping[str, int]] = {}
    cells: Sequence[ReleasedCell] = ()
    released_at: datetime | None = None


_decode_parts = msgspec.json.Decoder(dict[str, dict[str, int]]).decode
_decode_cells = msgspec.json.Decoder(list[ReleasedCell]).decode


def read_breakdowns(
    connection: sa.Connection,
    periods: Sequence[str],
    opds: Sequence[str] | None = None,
    facets: Sequence[str] | None = None,
) -> list[ReleasedBreakdown]:
    """Return the breakdowns of these triwulan: of these OPDs or all, by these facets or all."""
    table = released_breakdown.c
    query = sa.select(
        table.opd,
        table.period,
        table.facet,
        table.steps,
        table.withheld,
        sa.cast(table.parts, sa.Text).label("parts"),
        sa.cast(table.cells, sa.Text).label("cells"),
        table.released_at,
    ).where(table.period.in_(periods))
    if opds is not None:
        query = query.where(table.opd.in_(opds))
    if facets is not None:
        query = query.where(table.facet.in_(facets))
    query = query.order_by(table.opd, table.period, table.facet)
    return [
        ReleasedBreakdown(
            row.opd,
            row.period,
            row.facet,
            row.steps,
            row.withheld,
            _decode_parts(row.parts),
            _decode_cells(row.cells),
            row.released_at,
        )
        for row in connection.execute(query)
    ]


def replace_breakdowns(connection: sa.Connection, breakdowns: Iterable[ReleasedBreakdown]) -> None:
    """Write breakdowns in the place of those of the same OPD, triwulan and facet."""
    rows = list(breakdowns)
    if rows:
        connection.execute(_REPLACE, {"breakdowns": msgspec.json.encode(rows).decode()})


def steps_seen(connection: sa.Connection, opds: Sequence[str]) -> dict[tuple[str, str], int]:
    """Return the steps in each OPD's triwulan when its breakdowns were last worked out."""
    table = released_breakdown.c
    query = (
        sa.select(table.opd, table.period, sa.func.min(table.steps))
        .where(table.opd.in_(opds))
        .group_by(table.opd, table.period)
    )
    return {(opd, period): steps for opd, period, steps in connection.execute(query)}


def steps_released(
    connection: sa.Connection, opds: Sequence[str], closed_to: date
) -> dict[tuple[str, str], int]:
    """Return the steps in each OPD's triwulan that ended by this day: those public within it."""
    table = released_tally.c
    triwulan = sa.func.to_char(table.first, 'YYYY"-Q"Q')
    end = sa.func.date_trunc("quarter", table.first) + sa.text("INTERVAL '3 months'")
    query = (
        sa.select(table.opd, triwulan, sa.cast(sa.func.sum(table.steps), sa.BigInteger))
        .where(
            table.opd.in_(opds),
            table.part == "released",
            table.last < end,
            end <= closed_to + _DAY,
        )
        .group_by(table.opd, triwulan)
    )
    return {(opd, period): steps for opd, period, steps in connection.execute(query)}


def closed_to(connection: sa.Connection, opds: Sequence[str]) -> date | None:
    """Return the last day of the months that are closed for all of these OPDs; None if none is."""
    query = sa.select(opd_state.c.closed_to).where(opd_state.c.opd.in_(opds))
    days = list(connection.scalars(query))
    return min(days) if days and None not in days else None

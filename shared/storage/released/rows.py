"""The public rows: the figures of every public window, made of released tallies alone."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from shared.registry.released_board import ReleasedHeadline
from shared.storage.tables import released_ikm

# Write rows, given as one JSON array.
_REPLACE_ROWS = sa.text("""
INSERT INTO released_ikm (opd, layanan, "window", first, last, respondents, ikm, mutu,
  ci_low, ci_high, scheme, detail, version, released_at, withheld)
SELECT opd, layanan, "window", first, last, respondents, ikm, mutu,
  ci_low, ci_high, scheme, detail, version, released_at, withheld
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS computed (
  opd text, layanan text, "window" text, first date, last date, respondents bigint, ikm numeric,
  mutu text, ci_low numeric, ci_high numeric, scheme text, detail jsonb, version bigint,
  released_at timestamptz, withheld boolean)
ON CONFLICT (opd, layanan, "window") DO UPDATE SET
  first = excluded.first, last = excluded.last, respondents = excluded.respondents,
  ikm = excluded.ikm, mutu = excluded.mutu, ci_low = excluded.ci_low, ci_high = excluded.ci_high,
  scheme = excluded.scheme, detail = excluded.detail, version = excluded.version,
  released_at = excluded.released_at, withheld = excluded.withheld
""")


class ReleasedRow(msgspec.Struct, frozen=True):
    """One row; `detail` is JSON, as in RollingRow.

    `released_at`: of the last step in it, None if there is none. `withheld`: nothing was released,
    or responses of a closed month were left out.
    """

    opd: str
    layanan: str
    window: str
    first: date | None
    last: date | None
    respondents: int
    ikm: Decimal | None
    mutu: str | None
    ci_low: Decimal | None
    ci_high: Decimal | None
    scheme: str
    detail: msgspec.Raw
    version: int
    released_at: datetime | None
    withheld: bool


_encode = msgspec.json.Encoder(decimal_format="number").encode


def read_rows(connection: sa.Connection, opds: Sequence[str] | None = None) -> list[ReleasedRow]:
    """Return the rows of these OPDs (INSTANSI is one), or all rows."""
    detail = sa.cast(released_ikm.c.detail, sa.Text).label("detail")
    columns = (
        detail if name == "detail" else released_ikm.c[name]
        for name in ReleasedRow.__struct_fields__
    )
    query = sa.select(*columns)
    if opds is not None:
        query = query.where(released_ikm.c.opd.in_(opds))
    return [_released_row(row) for row in connection.execute(query)]


def read_headlines(connection: sa.Connection, windows: Sequence[str]) -> list[ReleasedHeadline]:
    """Return what is public of every OPD and layanan, under the first window that has an index."""
    query = sa.select(*(released_ikm.c[name] for name in ReleasedHeadline.__struct_fields__)).where(
        released_ikm.c.window.in_(windows), released_ikm.c.ikm.is_not(None)
    )
    headlines = [ReleasedHeadline(*row) for row in connection.execute(query)]
    headlines.sort(key=lambda headline: windows.index(headline.window), reverse=True)
    return list({(line.opd, line.layanan): line for line in headlines}.values())


def replace_rows(connection: sa.Connection, rows: Sequence[ReleasedRow]) -> None:
    """Write the rows in the place of those of the same OPD, layanan and window."""
    if rows:
        connection.execute(_REPLACE_ROWS, {"rows": _encode(rows).decode()})


def delete_other_windows(
    connection: sa.Connection, opds: Sequence[str], windows: Sequence[str]
) -> None:
    """Delete the OPDs' rows of windows that are no longer kept ready."""
    connection.execute(
        sa.delete(released_ikm).where(
            released_ikm.c.opd.in_(opds), released_ikm.c.window.not_in(windows)
        )
    )


def _released_row(row: sa.Row[Any]) -> ReleasedRow:
    fields = row._asdict()
    return ReleasedRow(**{**fields, "detail": msgspec.Raw(fields["detail"].encode())})

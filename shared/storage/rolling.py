"""The rolling table: for which OPDs it is behind, how rows are replaced, how readers hear of it.

A refresh works under one lock, recomputes and replaces: it may be repeated at any time, and an
older one can never overwrite what a newer one wrote.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import psycopg
import sqlalchemy as sa

from shared.domain.errors import IkmError
from shared.storage.tables import opd_state, rolling_ikm

INSTANSI = ""  # stands in the column `opd` for all OPDs together
ALL_LAYANAN = ""  # stands in the column `layanan` for all layanan together
_REFRESH_LOCK = 0x494B4D_52  # "IKMR"

# What a power failure takes with it is a whole refresh, and the OPDs are stale again.
_COMMIT_WITHOUT_DISK = sa.text("SET LOCAL synchronous_commit TO off")
# Wait for other refreshes to end.
_WAIT_FOR_REFRESHES = sa.text("SELECT pg_advisory_xact_lock(:lock)")
# Write rows, given as one JSON array. computed_at is when the figures last changed: a window that
# only moved on by a day keeps it.
_REPLACE_ROWS = sa.text("""
INSERT INTO rolling_ikm AS stored (opd, layanan, "window", first, last, respondents, ikm, mutu,
  ci_low, ci_high, scheme, detail, version, computed_at)
SELECT opd, layanan, "window", first, last, respondents, ikm, mutu,
  ci_low, ci_high, scheme, detail, version, computed_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS computed (
  opd text, layanan text, "window" text, first date, last date, respondents bigint, ikm numeric,
  mutu text, ci_low numeric, ci_high numeric, scheme text, detail jsonb, version bigint,
  computed_at timestamptz)
ON CONFLICT (opd, layanan, "window") DO UPDATE SET
  first = excluded.first, last = excluded.last, respondents = excluded.respondents,
  ikm = excluded.ikm, mutu = excluded.mutu, ci_low = excluded.ci_low, ci_high = excluded.ci_high,
  scheme = excluded.scheme, detail = excluded.detail, version = excluded.version,
  computed_at = CASE
    WHEN (stored.respondents, stored.detail) IS DISTINCT FROM
      (excluded.respondents, excluded.detail)
    THEN excluded.computed_at ELSE stored.computed_at END
""")
# Tell whoever listens, one notification an OPD, when the transaction commits.
_ANNOUNCE = sa.text("""
SELECT pg_notify('ikm_rolling', opd) FROM unnest(CAST(:opds AS text[])) AS announced (opd)
""")
# Be told of announced OPDs from now on.
_LISTEN = sa.text("LISTEN ikm_rolling")


class ConnectionLost(IkmError):
    """The connection to PostgreSQL was lost."""


class OpdState(NamedTuple):
    """How far an OPD is counted and refreshed.

    `version`, `past_version`: of its tallies, and of those of past days; `refreshed`: the version
    that its rows show; `as_of`: the local day that they are rolled to. `closed_to`: the last day of
    the months that were closed; `releases`, `past_releases`: the refreshes that moved its bins, and
    the one that last moved one of a period that is over.
    """

    opd: str
    version: int
    past_version: int
    refreshed: int
    as_of: date | None
    closed_to: date | None
    releases: int
    past_releases: int

    def is_shown(self, today: date, closed_to: date) -> bool:
        """Tell whether there is nothing to refresh on a local day, months being closed so far."""
        is_rolled = (self.as_of, self.closed_to) == (today, closed_to)
        return self.version == self.refreshed and is_rolled


class RollingRow(msgspec.Struct, frozen=True):
    """One row; `detail` is JSON: services/aggregate/rolling/rolling_rows.py, Detail."""

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
    computed_at: datetime


_encode = msgspec.json.Encoder(decimal_format="number").encode


def begin_refresh(connection: sa.Connection) -> None:
    """Wait for other refreshes to end; let this one commit without waiting for the disk."""
    connection.execute(_COMMIT_WITHOUT_DISK)
    connection.execute(_WAIT_FOR_REFRESHES, {"lock": _REFRESH_LOCK})


def read_states(connection: sa.Connection) -> list[OpdState]:
    """Return the state of every OPD that was ever counted for or changed in the registry."""
    query = sa.select(*opd_state.c[OpdState._fields]).order_by(opd_state.c.opd)
    return [OpdState(*row) for row in connection.execute(query)]


def replace_rows(connection: sa.Connection, rows: Sequence[RollingRow]) -> None:
    """Write the rows in the place of those of the same OPD, layanan and window."""
    if rows:
        connection.execute(_REPLACE_ROWS, {"rows": _encode(rows).decode()})


def delete_other_windows(
    connection: sa.Connection, opds: Sequence[str], windows: Sequence[str]
) -> None:
    """Delete the OPDs' rows of windows that are no longer current."""
    connection.execute(
        sa.delete(rolling_ikm).where(
            rolling_ikm.c.opd.in_(opds), rolling_ikm.c.window.not_in(windows)
        )
    )


def write_states(connection: sa.Connection, states: Iterable[OpdState]) -> None:
    """Note what the rows and the bins of OPDs show now; their versions are counting's to write.

    One statement each, OPDs in sorted order: it is the order in which counting locks them.
    """
    shown = ("refreshed", "as_of", "closed_to", "releases", "past_releases")
    values = [
        {f"new_{name}": getattr(state, name) for name in ("opd", *shown)}
        for state in sorted(states, key=lambda state: state.opd)
    ]
    if values:
        connection.execute(
            sa.update(opd_state)
            .where(opd_state.c.opd == sa.bindparam("new_opd"))
            .values({name: sa.bindparam(f"new_{name}") for name in shown}),
            values,
        )


def announce(connection: sa.Connection, opds: Sequence[str]) -> None:
    """Tell the readers that these OPDs' rows were replaced, when this transaction commits."""
    connection.execute(_ANNOUNCE, {"opds": list(opds)})


def read_rows(connection: sa.Connection, opds: Sequence[str] | None = None) -> list[RollingRow]:
    """Return the rows of these OPDs (INSTANSI is one), or all rows."""
    detail = sa.cast(rolling_ikm.c.detail, sa.Text).label("detail")
    columns = (
        detail if name == "detail" else rolling_ikm.c[name] for name in RollingRow.__struct_fields__
    )
    query = sa.select(*columns)
    if opds is not None:
        query = query.where(rolling_ikm.c.opd.in_(opds))
    return [_rolling_row(row) for row in connection.execute(query)]


def listen(connection: sa.Connection) -> None:
    """Subscribe. The connection is in AUTOCOMMIT: notifications arrive between transactions."""
    connection.execute(_LISTEN)


def wait_for_announced_opds(connection: sa.Connection, timeout_s: float) -> set[str]:
    """Wait up to so long; return the OPDs announced since the last call, none when there were none.

    Raises ConnectionLost when there is nobody to hear any more.
    """
    driver: Any = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"LISTEN needs psycopg, not {type(driver).__name__}")
    try:
        return {notice.payload for notice in driver.notifies(timeout=timeout_s, stop_after=1)}
    except psycopg.OperationalError as error:
        raise ConnectionLost(str(error)) from error


def _rolling_row(row: sa.Row[Any]) -> RollingRow:
    fields = row._asdict()
    return RollingRow(**{**fields, "detail": msgspec.Raw(fields["detail"].encode())})

"""The rolling table: which OPDs it is behind for, how its rows are replaced, and how readers hear of it.

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

CHANNEL = "ikm_rolling"  # NOTIFY payload: the code of an OPD whose rows were replaced
INSTANSI = ""  # stands in the column `opd` for all OPDs together
ALL_LAYANAN = ""  # stands in the column `layanan` for all layanan together
_LOCK = 0x494B4D_52  # "IKMR"


class ConnectionLost(IkmError):
    """The connection to PostgreSQL was lost."""


class OpdState(NamedTuple):
    """One OPD: versions of its tallies, the version that its rows show, and the local day that they are rolled to."""

    opd: str
    version: int
    past_version: int
    refreshed: int
    as_of: date | None


class RollingRow(msgspec.Struct, frozen=True):
    """One row of the table. `detail` is JSON: see services/aggregate/rolling/summary.py."""

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

# computed_at is when the figures last changed: a window that only moved on by a day keeps it.
_REPLACE = sa.text("""
INSERT INTO rolling_ikm AS r
  (opd, layanan, "window", first, last, respondents, ikm, mutu, ci_low, ci_high, scheme, detail, version, computed_at)
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
  opd text, layanan text, "window" text, first date, last date, respondents bigint, ikm numeric, mutu text,
  ci_low numeric, ci_high numeric, scheme text, detail jsonb, version bigint, computed_at timestamptz)
ON CONFLICT (opd, layanan, "window") DO UPDATE SET
  first = excluded.first, last = excluded.last, respondents = excluded.respondents, ikm = excluded.ikm,
  mutu = excluded.mutu, ci_low = excluded.ci_low, ci_high = excluded.ci_high, scheme = excluded.scheme,
  detail = excluded.detail, version = excluded.version,
  computed_at = CASE
    WHEN (r.respondents, r.detail) IS DISTINCT FROM (excluded.respondents, excluded.detail)
    THEN greatest(r.computed_at, excluded.computed_at) ELSE r.computed_at END
""")


def begin_refresh(connection: sa.Connection) -> None:
    """Wait for other refreshes to end; let this one commit without waiting for the disk.

    What a power failure takes with it is a whole refresh, and the OPDs are stale again.
    """
    connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def read_states(connection: sa.Connection) -> list[OpdState]:
    """The state of every OPD that was ever counted for or changed in the registry."""
    columns = (opd_state.c[name] for name in OpdState._fields)
    return [
        OpdState(*row) for row in connection.execute(sa.select(*columns).order_by(opd_state.c.opd))
    ]


def replace_rows(connection: sa.Connection, rows: Sequence[RollingRow]) -> None:
    """Write the rows."""
    if rows:
        connection.execute(_REPLACE, {"rows": _encode(rows).decode()})


def delete_other_windows(
    connection: sa.Connection, opds: Sequence[str], windows: Sequence[str]
) -> None:
    """Remove the rows of windows that are no longer current."""
    table = rolling_ikm.c
    connection.execute(
        sa.delete(rolling_ikm).where(table.opd.in_(opds), table.window.not_in(windows))
    )


def mark_refreshed(connection: sa.Connection, refreshed: Iterable[OpdState], as_of: date) -> None:
    """Note which version of each OPD the rows show now.

    One statement each, OPDs in sorted order: it is the order in which counting locks them.
    """
    done = [{"code": state.opd, "seen": state.version, "day": as_of} for state in refreshed]
    if done:
        connection.execute(
            sa.update(opd_state)
            .where(opd_state.c.opd == sa.bindparam("code"))
            .values(refreshed=sa.bindparam("seen"), as_of=sa.bindparam("day")),
            sorted(done, key=lambda one: str(one["code"])),
        )


def announce(connection: sa.Connection, opds: Sequence[str]) -> None:
    """Tell the readers, when this transaction commits."""
    connection.execute(
        sa.text("SELECT pg_notify(:channel, code) FROM unnest(CAST(:opds AS text[])) AS code"),
        {"channel": CHANNEL, "opds": list(opds)},
    )


def read_rows(connection: sa.Connection, opds: Sequence[str] | None = None) -> list[RollingRow]:
    """The rows of these OPDs (INSTANSI is one), or all rows."""
    detail = sa.cast(rolling_ikm.c.detail, sa.Text).label("detail")
    query = sa.select(
        *(
            detail if name == "detail" else rolling_ikm.c[name]
            for name in RollingRow.__struct_fields__
        )
    )
    if opds is not None:
        query = query.where(rolling_ikm.c.opd.in_(opds))
    return [_row(row) for row in connection.execute(query)]


def listen(connection: sa.Connection) -> None:
    """Subscribe. The connection must be in AUTOCOMMIT: notifications arrive between transactions."""
    connection.execute(sa.text(f"LISTEN {CHANNEL}"))


def wait_for_announced_opds(connection: sa.Connection, timeout: float) -> set[str]:
    """Wait up to so many seconds; the OPDs announced since the last call, empty when there were none.

    Raises ConnectionLost when there is nobody to hear any more.
    """
    driver: Any = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"LISTEN needs psycopg, not {type(driver).__name__}")
    try:
        return {notice.payload for notice in driver.notifies(timeout=timeout, stop_after=1)}
    except psycopg.OperationalError as error:
        raise ConnectionLost(str(error)) from error


def _row(row: sa.Row[Any]) -> RollingRow:
    fields = row._asdict()
    return RollingRow(**{**fields, "detail": msgspec.Raw(fields["detail"].encode())})

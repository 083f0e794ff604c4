"""Single facts for readers: what became of a receipt, and how far the rolling table is behind."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.storage.rolling import INSTANSI
from shared.storage.tables import former_receipt, opd_state, receipt, rolling_ikm


class Fate(NamedTuple):
    """What became of a submission."""

    state: str
    reason: str | None
    received_at: datetime


class Lag(NamedTuple):
    """How many OPDs wait for a refresh, and when the instansi's figures changed (None: never)."""

    stale: int
    changed_at: datetime | None


def fate(connection: sa.Connection, code: UUID) -> Fate | None:
    """Return what became of the submission with this receipt; None when it waits, or is unknown.

    A receipt that was given out before receipts followed from a secret tells it, too.
    """
    present = sa.select(former_receipt.c.receipt).where(former_receipt.c.former == code)
    query = sa.select(*receipt.c[Fate._fields]).where(
        receipt.c.receipt == sa.func.coalesce(present.scalar_subquery(), code)
    )
    row = connection.execute(query).one_or_none()
    return Fate(*row) if row is not None else None


def rolling_lag(connection: sa.Connection) -> Lag:
    """Return how far the rolling table is behind the tallies."""
    stale = sa.select(sa.func.count()).where(opd_state.c.version != opd_state.c.refreshed)
    changed_at = sa.select(sa.func.max(rolling_ikm.c.computed_at)).where(
        rolling_ikm.c.opd == INSTANSI
    )
    return Lag(connection.scalar(stale) or 0, connection.scalar(changed_at))

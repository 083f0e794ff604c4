"""What `verify` asks of the ledger, the receipts, the responses and the parked submissions.

Each question names what is wrong; no answer is the good answer. Of what may be many, a few examples
and the number.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.storage.rolling import INSTANSI
from shared.storage.tables import (
    day_tally,
    inbox_entry,
    ledger,
    opd_state,
    parked,
    receipt,
    response,
    rolling_ikm,
)

EXAMPLES = 5
_PARTS = ("counted", "duplicate", "parked")


class UnbalancedRow(NamedTuple):
    """A row of `inbox_entry` or `ledger` whose parts do not add up; `name`: its table and key."""

    name: str
    accepted: int
    parts: int


class Mismatches(NamedTuple):
    """How many receipts do not match, and the first few."""

    total: int
    examples: Sequence[str]


class EpochTotals(NamedTuple):
    """What one life of the inbox came to, and the last day (UTC) on which it was counted."""

    epoch: UUID
    accepted: int
    counted: int
    duplicate: int
    parked: int
    last_day: date


def unbalanced_rows(connection: sa.Connection) -> list[UnbalancedRow]:
    """Return rows where accepted is not counted + duplicate + parked; a few of each table."""
    unbalanced: list[UnbalancedRow] = []
    for table, key in ((inbox_entry, inbox_entry.c.entry), (ledger, ledger.c.epoch)):
        parts = sum((table.c[name] for name in _PARTS), sa.literal(0))
        query = (
            sa.select(key, table.c.accepted, parts)
            .where(table.c.accepted != parts)
            .order_by(key)
            .limit(EXAMPLES)
        )
        unbalanced += [
            UnbalancedRow(f"{table.name} {code}", *numbers)
            for code, *numbers in connection.execute(query)
        ]
    return unbalanced


def count_receipts(connection: sa.Connection) -> int:
    """Return how many receipts were ever entered."""
    return connection.scalar(sa.select(sa.func.count()).select_from(receipt)) or 0


def receipts_without_row(connection: sa.Connection, state: str) -> Mismatches:
    """Return receipts of a state whose response (counted) or parked submission is missing."""
    table = _table_of(state)
    has_row = sa.exists().where(table.c.receipt == receipt.c.receipt)
    return _mismatches(
        connection, sa.select(receipt.c.receipt).where(receipt.c.state == state, ~has_row)
    )


def rows_without_receipt(connection: sa.Connection, state: str) -> Mismatches:
    """Return responses or parked submissions whose receipt is missing or says something else."""
    table = _table_of(state)
    has_receipt = sa.exists().where(receipt.c.receipt == table.c.receipt, receipt.c.state == state)
    return _mismatches(connection, sa.select(table.c.receipt).where(~has_receipt))


def epoch_totals(connection: sa.Connection) -> list[EpochTotals]:
    """Return every life of the inbox that anything was counted of, oldest first."""
    numbers = ("accepted", *_PARTS)
    lines = sa.union_all(
        sa.select(ledger.c.epoch, *(ledger.c[name] for name in numbers), ledger.c.day),
        sa.select(
            inbox_entry.c.epoch,
            *(sa.cast(inbox_entry.c[name], sa.BigInteger) for name in numbers),
            sa.cast(sa.func.timezone("UTC", inbox_entry.c.counted_at), sa.Date),
        ),
    ).subquery()
    last_day = sa.func.max(lines.c.day)
    sums = (sa.cast(sa.func.sum(lines.c[name]), sa.BigInteger) for name in numbers)
    query = (
        sa.select(lines.c.epoch, *sums, last_day)
        .group_by(lines.c.epoch)
        .order_by(last_day, lines.c.epoch)
    )
    return [EpochTotals(*row) for row in connection.execute(query)]


def accepted_after(connection: sa.Connection, epoch: UUID, last: tuple[int, int]) -> int:
    """Return the submissions of counted entries that came into the stream after this position."""
    position = sa.tuple_(inbox_entry.c.stream_ms, inbox_entry.c.stream_seq)
    query = sa.select(sa.func.coalesce(sa.func.sum(inbox_entry.c.accepted), 0)).where(
        inbox_entry.c.epoch == epoch, position > last
    )
    return connection.scalar(query) or 0


def opds_without_state(connection: sa.Connection) -> list[str]:
    """Return OPDs with tallies that no refresh would ever look at."""
    has_state = sa.exists().where(opd_state.c.opd == day_tally.c.opd)
    query = sa.select(day_tally.c.opd).where(~has_state).distinct().order_by(day_tally.c.opd)
    return list(connection.scalars(query))


def rolling_without_state(connection: sa.Connection) -> list[str]:
    """Return OPDs with rolling rows that were never counted for nor registered."""
    has_state = sa.exists().where(opd_state.c.opd == rolling_ikm.c.opd)
    query = (
        sa.select(rolling_ikm.c.opd)
        .where(~has_state, rolling_ikm.c.opd != INSTANSI)
        .distinct()
        .order_by(rolling_ikm.c.opd)
    )
    return list(connection.scalars(query))


def _table_of(state: str) -> sa.Table:
    return {"counted": response, "parked": parked}[state]


def _mismatches(connection: sa.Connection, receipts: sa.Select[UUID]) -> Mismatches:
    wrong = receipts.subquery()
    query = sa.select(sa.func.count().over(), wrong.c.receipt).limit(EXAMPLES)
    rows = connection.execute(query).all()
    total = rows[0][0] if rows else 0
    return Mismatches(total, [str(code) for _, code in rows])

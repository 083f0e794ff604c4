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
_SUM = ("counted", "duplicate", "parked")


class UnbalancedRow(NamedTuple):
    """A row of `inbox_entry` or `ledger` whose parts do not add up."""

    row: str
    accepted: int
    parts: int


class Mismatches(NamedTuple):
    """How many there are, and the first few."""

    total: int
    examples: Sequence[str]


class EpochTotals(NamedTuple):
    """What one life of the inbox came to; local to the ledger's days (UTC), None while nothing is summed up."""

    epoch: UUID
    accepted: int
    counted: int
    duplicate: int
    parked: int
    last_day: date | None


def unbalanced_rows(connection: sa.Connection) -> list[UnbalancedRow]:
    """Rows where accepted is not counted + duplicate + parked; a few of each table."""
    found: list[UnbalancedRow] = []
    for table, key in ((inbox_entry, inbox_entry.c.entry), (ledger, ledger.c.epoch)):
        parts = sum((table.c[name] for name in _SUM), sa.literal(0))
        query = (
            sa.select(key, table.c.accepted, parts)
            .where(table.c.accepted != parts)
            .order_by(key)
            .limit(EXAMPLES)
        )
        found += [
            UnbalancedRow(f"{table.name} {row}", *numbers)
            for row, *numbers in connection.execute(query)
        ]
    return found


def count_receipts(connection: sa.Connection) -> int:
    """How many receipts were ever entered."""
    return connection.scalar(sa.select(sa.func.count()).select_from(receipt)) or 0


def receipts_without_row(connection: sa.Connection, state: str) -> Mismatches:
    """Receipts of a state ("counted", "parked") whose response or parked submission is missing."""
    table = _table_of(state)
    there = sa.exists().where(table.c.receipt == receipt.c.receipt)
    return _mismatches(
        connection, sa.select(receipt.c.receipt).where(receipt.c.state == state, ~there)
    )


def rows_without_receipt(connection: sa.Connection, state: str) -> Mismatches:
    """Responses ("counted") or parked submissions ("parked") whose receipt is missing or says something else."""
    table = _table_of(state)
    there = sa.exists().where(receipt.c.receipt == table.c.receipt, receipt.c.state == state)
    return _mismatches(connection, sa.select(table.c.receipt).where(~there))


def epochs(connection: sa.Connection) -> list[EpochTotals]:
    """Every life of the inbox that anything was counted of, oldest first."""
    numbers = ("accepted", *_SUM)
    both = sa.union_all(
        sa.select(ledger.c.epoch, *(ledger.c[name] for name in numbers), ledger.c.day),
        sa.select(
            inbox_entry.c.epoch,
            *(sa.cast(inbox_entry.c[name], sa.BigInteger) for name in numbers),
            sa.cast(sa.func.timezone("UTC", inbox_entry.c.counted_at), sa.Date),
        ),
    ).subquery()
    last = sa.func.max(both.c.day)
    sums = (sa.cast(sa.func.sum(both.c[name]), sa.BigInteger) for name in numbers)
    query = sa.select(both.c.epoch, *sums, last).group_by(both.c.epoch).order_by(last, both.c.epoch)
    return [EpochTotals(*row) for row in connection.execute(query)]


def accepted_after(connection: sa.Connection, epoch: UUID, last: tuple[int, int]) -> int:
    """Submissions of counted entries that came into the stream after this position."""
    place = sa.tuple_(inbox_entry.c.stream_ms, inbox_entry.c.stream_seq)
    query = sa.select(sa.func.coalesce(sa.func.sum(inbox_entry.c.accepted), 0)).where(
        inbox_entry.c.epoch == epoch, place > last
    )
    return connection.scalar(query) or 0


def opds_without_state(connection: sa.Connection) -> list[str]:
    """OPDs with tallies that no refresh would ever look at."""
    there = sa.exists().where(opd_state.c.opd == day_tally.c.opd)
    return list(
        connection.scalars(
            sa.select(day_tally.c.opd).where(~there).distinct().order_by(day_tally.c.opd)
        )
    )


def rolling_without_state(connection: sa.Connection) -> list[str]:
    """OPDs with rolling rows that were never counted for nor registered."""
    there = sa.exists().where(opd_state.c.opd == rolling_ikm.c.opd)
    query = sa.select(rolling_ikm.c.opd).where(~there, rolling_ikm.c.opd != INSTANSI).distinct()
    return list(connection.scalars(query.order_by(rolling_ikm.c.opd)))


def _table_of(state: str) -> sa.Table:
    return {"counted": response, "parked": parked}[state]


def _mismatches(connection: sa.Connection, query: sa.Select[UUID]) -> Mismatches:
    wrong = query.subquery()
    found = connection.execute(
        sa.select(sa.func.count().over(), wrong.c.receipt).limit(EXAMPLES)
    ).all()
    return Mismatches(found[0][0] if found else 0, [str(row[1]) for row in found])

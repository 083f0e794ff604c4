"""Promise 3 by rows: what every entry came to adds up, and agrees with the receipts."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.storage.checks.row_rules import Mismatches, RowRule, broken
from shared.storage.tables import inbox_entry, inbox_horizon, ledger, receipt

_PARTS = ("counted", "duplicate", "parked")
_NUMBERS = ("accepted", *_PARTS)


class EpochTotals(NamedTuple):
    """What one life of the inbox came to, and the last day (UTC) on which it was counted."""

    epoch: UUID
    accepted: int
    counted: int
    duplicate: int
    parked: int
    last_day: date


class ReceiptTotals(NamedTuple):
    """How many receipts there are in each state."""

    counted: int
    parked: int


def unbalanced_rows(connection: sa.Connection) -> Iterator[tuple[str, Mismatches]]:
    """Yield the tables with rows that do not add up by themselves, and which."""
    for table, key in (
        (inbox_entry, [inbox_entry.c.entry]),
        (ledger, [ledger.c.epoch, ledger.c.day]),
    ):
        parts = sum((table.c[name] for name in _PARTS), sa.literal(0))
        numbers = [table.c[name] for name in _NUMBERS]
        rules = (
            RowRule("accepted is not counted + duplicate + parked", table.c.accepted != parts,
                    numbers),
            RowRule("a number is negative, or nothing was accepted",
                    sa.or_(table.c.accepted < 1, *(number < 0 for number in numbers[1:])), numbers),
        )  # fmt: skip
        for mismatches in broken(connection, table, key, rules):
            yield table.name, mismatches


def unfolded_rows(connection: sa.Connection) -> Iterator[Mismatches]:
    """Yield the entries that a fold left behind its horizon."""
    entry, horizon = inbox_entry.c, inbox_horizon.c
    position = sa.tuple_(entry.stream_ms, entry.stream_seq)
    rule = RowRule(
        "it lies before the horizon of its life and is not folded",
        position < sa.tuple_(horizon.stream_ms, horizon.stream_seq),
        [entry.stream_ms, entry.stream_seq],
    )
    rows = inbox_entry.join(inbox_horizon, horizon.epoch == entry.epoch)
    return broken(connection, rows, [entry.entry], [rule])


def count_receipts(connection: sa.Connection) -> ReceiptTotals:
    """Return how many receipts there are."""
    query = sa.select(
        sa.func.count().filter(receipt.c.state == "counted"),
        sa.func.count().filter(receipt.c.state == "parked"),
    )
    return ReceiptTotals(*connection.execute(query).one())


def epoch_totals(connection: sa.Connection) -> list[EpochTotals]:
    """Return every life of the inbox that anything was counted of, oldest first."""
    lines = sa.union_all(
        sa.select(ledger.c.epoch, *(ledger.c[name] for name in _NUMBERS), ledger.c.day),
        sa.select(
            inbox_entry.c.epoch,
            *(sa.cast(inbox_entry.c[name], sa.BigInteger) for name in _NUMBERS),
            sa.cast(sa.func.timezone("UTC", inbox_entry.c.counted_at), sa.Date),
        ),
    ).subquery()
    last_day = sa.func.max(lines.c.day)
    sums = (sa.cast(sa.func.sum(lines.c[name]), sa.BigInteger) for name in _NUMBERS)
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

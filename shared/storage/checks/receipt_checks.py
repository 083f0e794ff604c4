"""Receipts, and the response or parked submission that belongs to each."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.storage.checks.row_rules import Mismatches, RowRule, broken
from shared.storage.tables import parked, receipt, response

TABLES = {"counted": response, "parked": parked}  # state of a receipt -> table of its row
_CHUNK = 10_000
_ON_THE_SERVER = {"stream_results": True, "max_row_buffer": _CHUNK}  # the cursor
_BODIES = 100  # at a time; one may have a mebibyte
_BODIES_ON_THE_SERVER = {"stream_results": True, "max_row_buffer": _BODIES}
# What is parked and was not emptied, with the digest that its receipt has.
_SELECT_BODIES = sa.text("""
SELECT uuid_send(receipt), receipt.digest, parked.body FROM parked JOIN receipt USING (receipt)
WHERE parked.emptied_at IS NULL AND receipt.digest IS NOT NULL
""")
_SELECT_RECEIPTS = sa.text("SELECT uuid_send(receipt), channel, source_id, digest FROM receipt")
# Ids of which one content is counted more than once: a few, and how many there are.
_REPEATED = sa.text("""
SELECT count(*) OVER () AS repeated, channel, source_id, times
FROM (
  SELECT channel, source_id, count(*) AS times FROM receipt
  WHERE state = 'counted' AND digest IS NOT NULL
  GROUP BY channel, source_id, digest HAVING count(*) > 1
) AS contents ORDER BY channel, source_id LIMIT 5
""")
# How many ids have several contents that are counted.
_FORCED = sa.text("""
SELECT count(*) FROM (
  SELECT FROM receipt WHERE state = 'counted' GROUP BY channel, source_id HAVING count(*) > 1
) AS ids
""")


class StoredReceipt(NamedTuple):
    """What a receipt is worked out from, and the receipt itself (16 bytes)."""

    receipt: bytes
    channel: str
    source_id: str
    digest: int | None


class ParkedBody(NamedTuple):
    """A parked body, with its receipt (16 bytes) and the digest that this has."""

    receipt: bytes
    digest: int
    body: bytes


def parked_bodies(connection: sa.Connection) -> Iterator[ParkedBody]:
    """Yield what is parked and not emptied, in no order."""
    with connection.execute(_SELECT_BODIES, execution_options=_BODIES_ON_THE_SERVER) as rows:
        for chunk in rows.partitions(_BODIES):
            yield from (ParkedBody(*row) for row in chunk)


def all_receipts(connection: sa.Connection) -> Iterator[Sequence[StoredReceipt]]:
    """Yield all receipts, some thousands at a time, in no order."""
    # With a cursor on the server: there may be millions.
    with connection.execute(_SELECT_RECEIPTS, execution_options=_ON_THE_SERVER) as rows:
        for chunk in rows.partitions(_CHUNK):
            yield [StoredReceipt(*row) for row in chunk]


def repeated_contents(connection: sa.Connection) -> Mismatches:
    """Return the ids of which one content is counted more than once."""
    rows = connection.execute(_REPEATED).all()
    return Mismatches(
        "the same content is counted more than once under one channel and id",
        rows[0].repeated if rows else 0,
        [f"{row.channel}/{row.source_id} [times={row.times}]" for row in rows],
    )


def forced_ids(connection: sa.Connection) -> int:
    """Return of how many ids several contents are counted, as `replay --force` does."""
    return connection.scalar(_FORCED) or 0


def receipts_without_row(connection: sa.Connection, state: str) -> Mismatches:
    """Return receipts of a state whose response (counted) or parked submission is missing."""
    table = TABLES[state]
    has_row = sa.exists().where(table.c.receipt == receipt.c.receipt)
    return _unmatched(
        connection,
        f"{state}, but without a row in {table.name}",
        sa.select(receipt.c.receipt).where(receipt.c.state == state, ~has_row),
    )


def rows_without_receipt(connection: sa.Connection, state: str) -> Mismatches:
    """Return responses or parked submissions whose receipt is missing or says something else."""
    table = TABLES[state]
    has_receipt = sa.exists().where(receipt.c.receipt == table.c.receipt, receipt.c.state == state)
    return _unmatched(
        connection,
        f"without a receipt that is {state}",
        sa.select(table.c.receipt).where(~has_receipt),
    )


def contradictions(connection: sa.Connection) -> Iterator[tuple[str, Mismatches]]:
    """Yield the tables with rows that say something else than their receipt, and which."""
    for table, rules in ((receipt, _RECEIPT), (response, _RESPONSE), (parked, _PARKED)):
        rows: sa.FromClause = table
        if table is not receipt:
            rows = table.join(receipt, receipt.c.receipt == table.c.receipt)
        for mismatches in broken(connection, rows, [table.c.receipt], rules):
            yield table.name, mismatches


def _unmatched(
    connection: sa.Connection, wrong: str, receipts: sa.Select[tuple[UUID]]
) -> Mismatches:
    rows = receipts.subquery()
    rule = RowRule(wrong, sa.true())
    return next(broken(connection, rows, [rows.c.receipt], [rule]), Mismatches(wrong, 0, ()))


_first_code = parked.c.violations[0]["code"].astext
_RECEIPT = (
    RowRule(
        "it is parked without a reason, or counted with one",
        (receipt.c.state == "parked") != receipt.c.reason.is_not(None),
        [receipt.c.state, receipt.c.reason],
    ),
)
_RESPONSE = (
    RowRule(
        "the channel is not that of the receipt",
        response.c.channel != receipt.c.channel,
        [response.c.channel, receipt.c.channel.label("receipt_channel")],
    ),
)
_PARKED = (
    RowRule(
        "channel or id are not those of the receipt",
        sa.or_(parked.c.channel != receipt.c.channel, parked.c.source_id != receipt.c.source_id),
        [parked.c.channel, parked.c.source_id],
    ),
    RowRule(
        "the time of receipt is not that of the receipt",
        parked.c.received_at != receipt.c.received_at,
        [parked.c.received_at, receipt.c.received_at.label("receipt_received_at")],
    ),
    RowRule(
        "the reason is not that of the receipt",
        parked.c.reason.is_distinct_from(receipt.c.reason),
        [parked.c.reason, receipt.c.reason.label("receipt_reason")],
    ),
    RowRule(
        "the reason is not the code of the first violation",
        sa.and_(parked.c.emptied_at.is_(None), _first_code.is_distinct_from(parked.c.reason)),
        [parked.c.reason, _first_code.label("first_violation")],
    ),
    RowRule(
        "it is emptied, but body or violations are not",
        sa.and_(
            parked.c.emptied_at.is_not(None),
            sa.or_(
                sa.func.length(parked.c.body) > 0,
                sa.func.jsonb_array_length(parked.c.violations) > 0,
            ),
        ),
        [parked.c.emptied_at],
    ),
    RowRule(
        "it was tried without a time, or has a time without a try",
        sa.or_(parked.c.tries < 0, (parked.c.tries == 0) != parked.c.tried_at.is_(None)),
        [parked.c.tries, parked.c.tried_at],
    ),
)

"""The parked submissions: what only the registry or the history can judge, with its raw body and the reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa

from shared.domain.check import Violation
from shared.storage import binary
from shared.storage.receipts import Cursor
from shared.storage.tables import parked


class Parked(NamedTuple):
    """One parked submission. `received_us`: microseconds since 1970."""

    receipt: bytes
    channel: str
    source_id: str
    received_us: int
    reason: str
    violations: Sequence[Violation]
    body: bytes


def park(cursor: Cursor, rows: Sequence[Parked]) -> None:
    """Keep the submissions until the registry is mended."""
    with cursor.copy(
        "COPY parked (receipt, channel, source_id, received_at, reason, violations, body) FROM STDIN"
    ) as stream:
        for row in rows:
            stream.write_row(
                (
                    UUID(bytes=row.receipt),
                    row.channel,
                    row.source_id,
                    binary.aware(row.received_us),
                    row.reason,
                    msgspec.json.encode(row.violations).decode(),
                    row.body,
                )
            )


def listed(connection: sa.Connection, reason: str | None, limit: int) -> Sequence[sa.RowMapping]:
    """Parked submissions, oldest first, without their bodies."""
    columns = [column for column in parked.c if column.name != "body"]
    query = sa.select(*columns).order_by(parked.c.received_at, parked.c.receipt).limit(limit)
    if reason is not None:
        query = query.where(parked.c.reason == reason)
    return connection.execute(query).mappings().all()


def reasons(connection: sa.Connection) -> Sequence[sa.RowMapping]:
    """How many are parked for which reason."""
    query = sa.select(parked.c.reason, sa.func.count().label("submissions")).group_by(parked.c.reason)
    return connection.execute(query.order_by(parked.c.reason)).mappings().all()


def shown(connection: sa.Connection, receipt: UUID) -> sa.RowMapping | None:
    """One parked submission, whole."""
    return connection.execute(sa.select(parked).where(parked.c.receipt == receipt)).mappings().one_or_none()


def take(connection: sa.Connection, receipts: Sequence[UUID]) -> Sequence[sa.RowMapping]:
    """The parked submissions with these receipts, locked until the transaction ends; in the order of receipts."""
    query = sa.select(parked).where(parked.c.receipt.in_(receipts)).order_by(parked.c.receipt).with_for_update()
    return connection.execute(query).mappings().all()


def release(cursor: Cursor, receipts: Sequence[bytes]) -> None:
    """Forget parked submissions that were counted."""
    cursor.execute("DELETE FROM parked WHERE receipt = ANY(%b::uuid[])", (binary.uuids(receipts),))


def retried(
    connection: sa.Connection, receipt: bytes, reason: str, violations: Sequence[Violation], now: datetime
) -> None:
    """A replay found that it must stay parked."""
    connection.execute(
        sa.update(parked)
        .where(parked.c.receipt == UUID(bytes=receipt))
        .values(reason=reason, violations=msgspec.to_builtins(violations), tries=parked.c.tries + 1, tried_at=now)
    )

"""The parked submissions: what only the registry or the history can judge, with its raw body and the reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shared.domain.violation import Violation
from shared.storage import binary
from shared.storage.cursor import Cursor
from shared.storage.tables import parked, receipt


class ParkedSubmission(NamedTuple):
    """One parked submission. `received_us`: microseconds since 1970."""

    receipt: bytes
    channel: str
    source_id: str
    received_us: int
    reason: str
    violations: Sequence[Violation]
    body: bytes


def park(cursor: Cursor, rows: Sequence[ParkedSubmission]) -> None:
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


def list_parked(
    connection: sa.Connection, reason: str | None, limit: int
) -> Sequence[sa.RowMapping]:
    """ParkedSubmission submissions, oldest first, without their bodies."""
    columns = [column for column in parked.c if column.name != "body"]
    query = sa.select(*columns).order_by(parked.c.received_at, parked.c.receipt).limit(limit)
    if reason is not None:
        query = query.where(parked.c.reason == reason)
    return connection.execute(query).mappings().all()


def count_by_reason(connection: sa.Connection) -> Sequence[sa.RowMapping]:
    """How many are parked for which reason."""
    query = sa.select(parked.c.reason, sa.func.count().label("submissions")).group_by(
        parked.c.reason
    )
    return connection.execute(query.order_by(parked.c.reason)).mappings().all()


def read_parked(connection: sa.Connection, code: UUID) -> sa.RowMapping | None:
    """One parked submission, whole."""
    return (
        connection.execute(sa.select(parked).where(parked.c.receipt == code))
        .mappings()
        .one_or_none()
    )


class LockedSubmission(NamedTuple):
    """What a replay needs of a parked submission. `received_us`: microseconds since 1970."""

    receipt: UUID
    channel: str
    received_us: int
    reason: str
    violations: Sequence[Violation]
    body: bytes


def lock_parked(connection: sa.Connection, codes: Sequence[UUID]) -> list[LockedSubmission]:
    """The parked submissions with these receipts, locked until the transaction ends; in the order of receipts."""
    columns = (
        parked.c[name]
        for name in ("receipt", "channel", "received_at", "reason", "violations", "body")
    )
    query = (
        sa.select(*columns)
        .where(parked.c.receipt.in_(codes))
        .order_by(parked.c.receipt)
        .with_for_update()
    )
    return [
        LockedSubmission(
            code,
            channel,
            binary.micros(received),
            reason,
            msgspec.convert(violations, list[Violation]),
            body,
        )
        for code, channel, received, reason, violations, body in connection.execute(query)
    ]


def delete_parked(cursor: Cursor, receipts: Sequence[bytes]) -> None:
    """Forget parked submissions that were counted."""
    cursor.execute("DELETE FROM parked WHERE receipt = ANY(%b::uuid[])", (binary.uuids(receipts),))


def next_receipts(
    connection: sa.Connection, reason: str | None, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The next receipts after one, in their order: of all parked submissions, or of those with a reason."""
    query = sa.select(parked.c.receipt).order_by(parked.c.receipt).limit(limit)
    if reason is not None:
        query = query.where(parked.c.reason == reason)
    if after is not None:
        query = query.where(parked.c.receipt > after)
    return connection.scalars(query).all()


def note_retries(
    connection: sa.Connection, still: Sequence[tuple[UUID, Sequence[Violation]]], now: datetime
) -> None:
    """A replay found that these must stay parked, for these reasons now: also their receipts say so."""
    if not still:
        return
    values = [
        {"of": code, "why": violations[0].code, "all": msgspec.to_builtins(violations), "now": now}
        for code, violations in still
    ]
    reason: sa.BindParameter[str] = sa.bindparam("why")
    connection.execute(
        sa.update(parked)
        .where(parked.c.receipt == sa.bindparam("of"))
        .values(
            reason=reason,
            violations=sa.bindparam("all", type_=JSONB),
            tries=parked.c.tries + 1,
            tried_at=sa.bindparam("now"),
        ),
        values,
    )
    connection.execute(
        sa.update(receipt).where(receipt.c.receipt == sa.bindparam("of")).values(reason=reason),
        values,
    )

"""The parked submissions: what only the registry or the history can judge, with its raw body."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shared.domain.violation import Violation
from shared.storage import binary
from shared.storage.cursor import Cursor
from shared.storage.tables import parked, receipt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Write parked submissions. COPY has no parameters and goes through psycopg alone.
_COPY = """
COPY parked (receipt, channel, source_id, received_at, reason, violations, body) FROM STDIN
"""
# Delete the parked submissions with these receipts.
_DELETE = sa.text("DELETE FROM parked WHERE receipt = ANY(:receipts)")


class ParkedSubmission(NamedTuple):
    """A submission to be parked. `received_us`: microseconds since 1970."""

    receipt: bytes
    channel: str
    source_id: str
    received_us: int
    reason: str
    violations: Sequence[Violation]
    body: bytes


class LockedSubmission(NamedTuple):
    """What a replay needs of a parked submission. `received_us`: microseconds since 1970."""

    receipt: UUID
    channel: str
    received_us: int
    reason: str
    violations: Sequence[Violation]
    body: bytes


def park(cursor: Cursor, submissions: Sequence[ParkedSubmission]) -> None:
    """Keep the submissions until the registry is mended."""
    with cursor.copy(_COPY) as stream:
        for submission in submissions:
            stream.write_row(
                (
                    UUID(bytes=submission.receipt),
                    submission.channel,
                    submission.source_id,
                    _EPOCH + submission.received_us * _MICROSECOND,
                    submission.reason,
                    msgspec.json.encode(submission.violations).decode(),
                    submission.body,
                )
            )


def list_parked(
    connection: sa.Connection, reason: str | None, limit: int
) -> Sequence[sa.RowMapping]:
    """Return parked submissions, oldest first, without their bodies."""
    columns = [column for column in parked.c if column.name != "body"]
    query = sa.select(*columns).order_by(parked.c.received_at, parked.c.receipt).limit(limit)
    if reason is not None:
        query = query.where(parked.c.reason == reason)
    return connection.execute(query).mappings().all()


def count_by_reason(connection: sa.Connection) -> dict[str, int]:
    """Return how many are parked for which reason."""
    query = (
        sa.select(parked.c.reason, sa.func.count().label("submissions"))
        .group_by(parked.c.reason)
        .order_by(parked.c.reason)
    )
    return {row.reason: row.submissions for row in connection.execute(query)}


def read_parked(connection: sa.Connection, code: UUID) -> sa.RowMapping | None:
    """Return the whole parked submission with this receipt, if there is one."""
    query = sa.select(parked).where(parked.c.receipt == code)
    return connection.execute(query).mappings().one_or_none()


def lock_parked(connection: sa.Connection, codes: Sequence[UUID]) -> list[LockedSubmission]:
    """Return the parked submissions with these receipts, by receipt, and lock them.

    Nobody else gets them until the transaction ends. Those whose bodies were emptied are left out.
    """
    columns = parked.c["receipt", "channel", "received_at", "reason", "violations", "body"]
    query = (
        sa.select(*columns)
        .where(parked.c.receipt.in_(codes), parked.c.emptied_at.is_(None))
        .order_by(parked.c.receipt)
        .with_for_update()
    )
    return [
        LockedSubmission(
            code,
            channel,
            (received_at - _EPOCH) // _MICROSECOND,
            reason,
            msgspec.convert(violations, list[Violation]),
            body,
        )
        for code, channel, received_at, reason, violations, body in connection.execute(query)
    ]


def delete_parked(connection: sa.Connection, receipts: Sequence[bytes]) -> None:
    """Forget parked submissions that were counted."""
    connection.execute(_DELETE, {"receipts": binary.uuid_array(b"".join(receipts))})


def next_receipts(
    connection: sa.Connection, reason: str | None, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Return the next receipts after one that can be judged again: of all, or of a reason."""
    query = (
        sa.select(parked.c.receipt)
        .where(parked.c.emptied_at.is_(None))
        .order_by(parked.c.receipt)
        .limit(limit)
    )
    if reason is not None:
        query = query.where(parked.c.reason == reason)
    if after is not None:
        query = query.where(parked.c.receipt > after)
    return connection.scalars(query).all()


def note_retries(
    connection: sa.Connection,
    retried: Sequence[tuple[UUID, Sequence[Violation]]],
    now: datetime,
) -> None:
    """Note for which violations a replay left these parked; their receipts say the first."""
    if not retried:
        return
    values = [
        {
            "code": code,
            "new_reason": violations[0].code,
            "new_violations": msgspec.to_builtins(violations),
            "now": now,
        }
        for code, violations in retried
    ]
    new_reason: sa.BindParameter[str] = sa.bindparam("new_reason")
    connection.execute(
        sa.update(parked)
        .where(parked.c.receipt == sa.bindparam("code"))
        .values(
            reason=new_reason,
            violations=sa.bindparam("new_violations", type_=JSONB),
            tries=parked.c.tries + 1,
            tried_at=sa.bindparam("now"),
        ),
        values,
    )
    connection.execute(
        sa.update(receipt)
        .where(receipt.c.receipt == sa.bindparam("code"))
        .values(reason=new_reason),
        values,
    )

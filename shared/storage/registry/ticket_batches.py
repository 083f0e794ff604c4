"""The serials of tickets, reserved batch by batch: no serial is ever given out twice."""

from datetime import datetime

import sqlalchemy as sa

from shared.domain.errors import IkmError
from shared.domain.submission.ticket import SERIALS
from shared.storage.tables import ticket_batch

# Two who reserve at once would read the same end; who only looks need not wait.
_LOCK = sa.text("LOCK TABLE ticket_batch IN SHARE ROW EXCLUSIVE MODE")


class NoSerialLeft(IkmError):
    """There are not so many serials left."""


def reserve(connection: sa.Connection, opd: str, layanan: str, size: int, now: datetime) -> int:
    """Reserve so many serials for tickets of a layanan; return the first. They follow each other.

    Raises NoSerialLeft.
    """
    connection.execute(_LOCK)
    batch = ticket_batch.c
    end = connection.scalar(sa.select(sa.func.max(batch.first_serial + batch.size))) or 0
    if end + size > SERIALS:
        raise NoSerialLeft(f"{SERIALS - end:,}, not {size:,}")
    row = {"first_serial": end, "size": size, "opd": opd, "layanan": layanan, "created_at": now}
    connection.execute(sa.insert(ticket_batch).values(row))
    return int(end)

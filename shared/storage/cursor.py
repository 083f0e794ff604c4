"""The psycopg cursor of the hot statements: binary values, nothing of SQLAlchemy per batch."""

import psycopg
import sqlalchemy as sa
from psycopg import pq
from psycopg.adapt import Buffer, Dumper

from shared.storage.binary import ARRAY_TYPES, ArrayParameter

Cursor = psycopg.Cursor[tuple[object, ...]]
_Connection = psycopg.Connection[tuple[object, ...]]

# What PostgreSQL expects before and after the rows of a binary COPY.
_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER = b"\xff\xff"


class _ArrayDumper(Dumper):
    """Hands an ArrayParameter to psycopg as it is."""

    format = pq.Format.BINARY

    def dump(self, obj: ArrayParameter) -> Buffer | None:
        return obj.encoded


_DUMPERS = {
    array_type: type(f"{array_type.__name__}Dumper", (_ArrayDumper,), {"oid": array_type.oid})
    for array_type in ARRAY_TYPES
}


def accept_array_parameters(driver_connection: _Connection, _record: object) -> None:
    """Teach a new connection of an engine to take array parameters."""
    for array_type, dumper in _DUMPERS.items():
        driver_connection.adapters.register_dumper(array_type, dumper)


def open_cursor(connection: sa.Connection) -> Cursor:
    """Return a psycopg cursor of the transaction, which gives binary values."""
    driver_connection = connection.connection.driver_connection
    if not isinstance(driver_connection, psycopg.Connection):
        raise TypeError("the engine must use psycopg")
    return driver_connection.cursor(binary=True)


def copy_rows(cursor: Cursor, statement: str, rows: bytes) -> None:
    """Run COPY … (FORMAT BINARY) with rows that each begin with the number of their fields."""
    if rows:
        with cursor.copy(statement) as stream:
            stream.write(_COPY_HEADER + rows + _COPY_TRAILER)

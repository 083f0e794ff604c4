"""The psycopg cursor that the hot statements go through: binary values, nothing of SQLAlchemy per batch."""

import psycopg
import sqlalchemy as sa

from shared.storage import binary

Cursor = psycopg.Cursor[tuple[object, ...]]


def open_cursor(connection: sa.Connection) -> Cursor:
    """A psycopg cursor of the transaction, which takes and gives binary values."""
    driver_connection = connection.connection.driver_connection
    if not isinstance(driver_connection, psycopg.Connection):
        raise TypeError("the engine must use psycopg")
    binary.register(driver_connection)
    return driver_connection.cursor(binary=True)

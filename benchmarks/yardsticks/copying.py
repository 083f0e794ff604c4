"""The yardstick of counting: COPY of rows into the product's own `response` table, no more."""

import gc
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL

from benchmarks.running.product import Product

COLUMNS = (
    "receipt, opd, layanan, day, answered_at, questionnaire, scores, "
    "sex, age, education, occupation, comment, channel"
)
TYPES = (
    "uuid",
    "text",
    "text",
    "date",
    "timestamptz",
    "text",
    "text",
    "text",
    "int2",
    "text",
    "text",
    "text",
    "text",
)
Row = tuple[Any, ...]


def response_rows(product: Product) -> list[Row]:
    """Return the rows that counting wrote as they were sent: its own order would help COPY."""
    columns = COLUMNS.replace("receipt", "response.receipt", 1).replace(
        "channel", "response.channel"
    )
    query = "SELECT {} FROM response JOIN receipt USING (receipt) ORDER BY source_id"
    with product.connect() as connection:
        return connection.execute(SQL(query).format(SQL(columns))).fetchall()


def copy_seconds(
    connection: "psycopg.Connection[tuple[object, ...]]", rows: Sequence[Row], *, binary: bool
) -> float:
    """Time one COPY of all rows, its commit included."""
    with connection.cursor() as cursor:
        gc.collect()
        started = time.perf_counter()
        with cursor.copy(
            f"COPY response ({COLUMNS}) FROM STDIN{' (FORMAT BINARY)' if binary else ''}"
        ) as stream:
            if binary:
                stream.set_types(TYPES)
            for row in rows:
                stream.write_row(row)
        return time.perf_counter() - started

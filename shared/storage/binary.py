"""PostgreSQL's binary forms, built in bulk: array parameters and COPY rows without an object per value.

Formats: PostgreSQL documentation, "COPY" (binary format), and its send functions: array_send,
uuid_send, timestamptz_send (microseconds since 2000-01-01), date_send (days since 2000-01-01).
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import ClassVar

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import pq
from psycopg.adapt import Buffer, Dumper

EPOCH_DAY = date(2000, 1, 1).toordinal()
EPOCH_US = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

_EPOCH_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i").pack
_INT8 = struct.Struct("!iq").pack
_INT4 = struct.Struct("!ii").pack
_INT2 = struct.Struct("!ih").pack
NULL = _LENGTH(-1)
_SHORT = [_LENGTH(size) for size in range(256)]
LENGTH_4, LENGTH_8, LENGTH_16 = map(_LENGTH, (4, 8, 16))
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"

_TEXT, _UUID, _INT4_OID, _INT8_OID, _DATE = 25, 2950, 23, 20, 1082


class Array:
    """An array parameter in its binary form; a subclass for each type of element."""

    element: ClassVar[int]
    oid: ClassVar[int]
    __slots__ = ("data",)

    def __init__(self, count: int, elements: bytes) -> None:
        self.data = _HEADER.pack(1, 0, self.element, count, 1) + elements


class Texts(Array):
    """text[]."""

    element, oid = _TEXT, 1009


class Uuids(Array):
    """uuid[]."""

    element, oid = _UUID, 2951


class Integers(Array):
    """int4[]."""

    element, oid = _INT4_OID, 1007


class Bigints(Array):
    """int8[]."""

    element, oid = _INT8_OID, 1016


class Days(Array):
    """date[]."""

    element, oid = _DATE, 1182


class ArrayDumper(Dumper):
    """Hands an Array to psycopg as it is."""

    format = pq.Format.BINARY

    def dump(self, obj: Array) -> Buffer | None:
        """The bytes."""
        return obj.data


_DUMPERS = {
    kind: type(f"{kind.__name__}Dumper", (ArrayDumper,), {"oid": kind.oid})
    for kind in (Texts, Uuids, Integers, Bigints, Days)
}


def register(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Teach a connection to take Array parameters."""
    for kind, dumper in _DUMPERS.items():
        connection.adapters.register_dumper(kind, dumper)


def uuids(values: Sequence[bytes]) -> Array:
    """uuid[] from 16 bytes each."""
    return Uuids(len(values), b"".join([LENGTH_16 + value for value in values]))


def repeated(values: Sequence[str]) -> Array:
    """text[] of few distinct values."""
    return Texts(len(values), b"".join(map(code, values)))


def bigints(values: Iterable[int]) -> Array:
    """int8[]."""
    elements = [_INT8(8, value) for value in values]
    return Bigints(len(elements), b"".join(elements))


def integers(values: "Sequence[int] | array[int]") -> Array:
    """int4[], in one sweep: lengths and values are interleaved and then turned to network order together."""
    pairs = array("i", bytes(8 * len(values)))
    pairs[0::2] = array("i", [4]) * len(values)
    pairs[1::2] = values if isinstance(values, array) else array("i", values)
    if struct.pack("=i", 1) != struct.pack("!i", 1):
        pairs.byteswap()
    return Integers(len(values), pairs.tobytes())


def days(values: Sequence[date]) -> Array:
    """date[]."""
    return Days(len(values), b"".join(map(day, values)))


def text(value: str | None) -> bytes:
    """A text field; None is NULL."""
    if value is None:
        return NULL
    encoded = value.encode()
    return _LENGTH(len(encoded)) + encoded


code = lru_cache(maxsize=65536)(text)  # for what comes again and again


@lru_cache(maxsize=65536)
def day(value: date) -> bytes:
    """A date field."""
    return _INT4(4, value.toordinal() - EPOCH_DAY)


def aware(value: int) -> datetime:
    """The instant, as a datetime in UTC, of microseconds since 1970."""
    return _EPOCH_1970 + timedelta(microseconds=value)


def micros(value: datetime) -> int:
    """The microseconds since 1970 of an instant, exactly."""
    return (value - _EPOCH_1970) // timedelta(microseconds=1)


def smallint(value: int | None) -> bytes:
    """An int2 field; None is NULL."""
    return NULL if value is None else _INT2(2, value)


Matrix = NDArray[np.uint8]  # rows of so many bytes each


def records(size: int, columns: Sequence[bytes | Matrix]) -> list[bytes]:
    """So many rows, each the bytes of its columns one after the other; a column of plain bytes is the same in each."""
    widths = [len(column) if isinstance(column, bytes) else column.shape[1] for column in columns]
    width = sum(widths)
    rows = np.empty((size, width), dtype=np.uint8)
    at = 0
    for column, wide in zip(columns, widths, strict=True):
        rows[:, at : at + wide] = (
            np.frombuffer(column, dtype=np.uint8) if isinstance(column, bytes) else column
        )
        at += wide
    together = rows.tobytes()
    return [together[at : at + width] for at in range(0, size * width, width)]


def uuid_matrix(receipts: bytes) -> Matrix:
    """16 bytes each."""
    return np.frombuffer(receipts, dtype=np.uint8).reshape(-1, 16)


def instant_matrix(values: NDArray[np.int64]) -> Matrix:
    """timestamptz, 8 bytes each, from microseconds since 1970."""
    return (values - EPOCH_US).astype(">i8").view(np.uint8).reshape(-1, 8)


def int4_matrix(values: NDArray[np.int64]) -> Matrix:
    """int4, 4 bytes each."""
    return values.astype(">i4").view(np.uint8).reshape(-1, 4)


def uuid_array(receipts: bytes) -> Array:
    """uuid[] from 16 bytes each, one after the other."""
    size = len(receipts) // 16
    rows = np.empty((size, 20), dtype=np.uint8)
    rows[:, :4] = np.frombuffer(LENGTH_16, dtype=np.uint8)
    rows[:, 4:] = uuid_matrix(receipts)
    return Uuids(size, rows.tobytes())


def text_columns(values: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """Text fields in two columns: their lengths, and what they hold."""
    encoded = [value.encode() for value in values]
    return [
        _SHORT[len(value)] if len(value) < len(_SHORT) else _LENGTH(len(value)) for value in encoded
    ], encoded


def together(*columns: Iterable[bytes]) -> bytes:
    """Rows from their columns."""
    return b"".join(chain.from_iterable(zip(*columns, strict=True)))


def length(size: int) -> bytes:
    """The length before a field."""
    return _LENGTH(size)


def copy(cursor: "psycopg.Cursor[tuple[object, ...]]", statement: str, rows: bytes) -> None:
    """Run COPY … FROM STDIN (FORMAT BINARY) with rows that each begin with the number of their fields."""
    if rows:
        with cursor.copy(statement) as stream:
            stream.write(_SIGNATURE + rows + _TRAILER)

"""PostgreSQL's binary forms, built in bulk: array parameters and COPY rows, no object per value.

Formats: PostgreSQL documentation, "COPY" (binary format), and its send functions: array_send,
uuid_send, timestamptz_send (microseconds since 2000-01-01), date_send (days since 2000-01-01).

A *field* is a length and what it holds; NULL is a length of -1. A *matrix* holds the same field of
many rows, so many bytes each.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.uint8]  # rows x bytes

_EPOCH_DAY = date(2000, 1, 1).toordinal()
_EPOCH_US = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_ARRAY_HEADER = struct.Struct("!iiIii")  # dimensions, has NULLs, element type, size, lower bound
_UUID_BYTES = 16

field_length = struct.Struct("!i").pack
NULL = field_length(-1)
LENGTH_8, LENGTH_16 = map(field_length, (8, 16))
_int8_field = struct.Struct("!iq").pack
_int4_field = struct.Struct("!ii").pack
_int2_field = struct.Struct("!ih").pack


class ArrayParameter:
    """An array parameter in its binary form. The numbers are those of the table pg_type."""

    oid: ClassVar[int]
    element_oid: ClassVar[int]
    __slots__ = ("encoded",)

    def __init__(self, size: int, elements: bytes) -> None:
        self.encoded = _ARRAY_HEADER.pack(1, 0, self.element_oid, size, 1) + elements


class TextArray(ArrayParameter):
    """A parameter of type text[]."""

    oid, element_oid = 1009, 25


class UuidArray(ArrayParameter):
    """A parameter of type uuid[]."""

    oid, element_oid = 2951, 2950


class Int4Array(ArrayParameter):
    """A parameter of type int4[]."""

    oid, element_oid = 1007, 23


class Int8Array(ArrayParameter):
    """A parameter of type int8[]."""

    oid, element_oid = 1016, 20


class DateArray(ArrayParameter):
    """A parameter of type date[]."""

    oid, element_oid = 1182, 1082


ARRAY_TYPES = (TextArray, UuidArray, Int4Array, Int8Array, DateArray)


def text_array(codes: Sequence[str]) -> TextArray:
    """Return a text[] of codes, of which few are distinct."""
    return TextArray(len(codes), b"".join(map(code_field, codes)))


def uuid_array(uuids: bytes) -> UuidArray:
    """Return a uuid[] from 16 bytes each, one after the other."""
    size = len(uuids) // _UUID_BYTES
    elements = np.empty((size, 4 + _UUID_BYTES), dtype=np.uint8)
    elements[:, :4] = np.frombuffer(LENGTH_16, dtype=np.uint8)
    elements[:, 4:] = uuid_matrix(uuids)
    return UuidArray(size, elements.tobytes())


def int4_array(values: "Sequence[int] | array[int]") -> Int4Array:
    """Return an int4[]; lengths and values are turned to network order together."""
    pairs = array("i", bytes(8 * len(values)))
    pairs[0::2] = array("i", [4]) * len(values)
    pairs[1::2] = values if isinstance(values, array) else array("i", values)
    if struct.pack("=i", 1) != struct.pack("!i", 1):
        pairs.byteswap()
    return Int4Array(len(values), pairs.tobytes())


def int8_array(values: Sequence[int]) -> Int8Array:
    """Return an int8[]."""
    return Int8Array(len(values), b"".join([_int8_field(8, value) for value in values]))


def date_array(days: Sequence[date]) -> DateArray:
    """Return a date[]."""
    return DateArray(len(days), b"".join(map(date_field, days)))


def text_field(value: str | None) -> bytes:
    """Return a text field; None is NULL."""
    if value is None:
        return NULL
    encoded = value.encode()
    return field_length(len(encoded)) + encoded


code_field = lru_cache(maxsize=65536)(text_field)  # for what comes again and again


@lru_cache(maxsize=65536)
def date_field(day: date) -> bytes:
    """Return a date field."""
    return _int4_field(4, day.toordinal() - _EPOCH_DAY)


def int2_field(value: int | None) -> bytes:
    """Return an int2 field; None is NULL."""
    return NULL if value is None else _int2_field(2, value)


def uuid_matrix(uuids: bytes) -> Matrix:
    """Return the matrix of 16 bytes each, one after the other."""
    return np.frombuffer(uuids, dtype=np.uint8).reshape(-1, _UUID_BYTES)


def instant_matrix(instants_us: NDArray[np.int64]) -> Matrix:
    """Return timestamptz, 8 bytes each, from microseconds since 1970."""
    return int8_matrix(instants_us - _EPOCH_US)


def int8_matrix(values: NDArray[np.int64]) -> Matrix:
    """Return int8, 8 bytes each."""
    return values.astype(">i8").view(np.uint8).reshape(-1, 8)


def fixed_rows(size: int, columns: Sequence[bytes | Matrix]) -> list[bytes]:
    """Return so many rows, each the bytes of its columns; plain bytes are the same in each row."""
    widths = [len(column) if isinstance(column, bytes) else column.shape[1] for column in columns]
    row_width = sum(widths)
    rows = np.empty((size, row_width), dtype=np.uint8)
    start = 0
    for column, width in zip(columns, widths, strict=True):
        rows[:, start : start + width] = (
            np.frombuffer(column, dtype=np.uint8) if isinstance(column, bytes) else column
        )
        start += width
    joined = rows.tobytes()
    return [joined[start : start + row_width] for start in range(0, size * row_width, row_width)]


def text_columns(values: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """Return text fields in two columns: their lengths, and what they hold."""
    encoded = [value.encode() for value in values]
    return list(map(field_length, map(len, encoded))), encoded


def interleave(*columns: Iterable[bytes]) -> bytes:
    """Return rows from their columns."""
    return b"".join(chain.from_iterable(zip(*columns, strict=True)))

"""What one entry of the inbox holds, as bytes and as values."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

RECEIPT_BYTES = 16
_LATEST_US = 253_370_764_800_000_000  # the year 9999


class Parcel(msgspec.Struct, array_like=True, frozen=True):
    """The submissions of one request, column by column. `receipts` holds 16 bytes each; bodies are JSON as sent."""

    channel: str
    received_us: int  # microseconds since 1970
    receipts: bytes
    ids: list[str]
    bodies: list[bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """One claimed entry of the stream.

    `parcels` is None when the entry is not of this product's making: `raw` is what it holds, and it counts as one
    submission, accepted at the moment at which it is settled.
    """

    stream_id: bytes
    entry: uuid.UUID
    accepted: int
    parcels: Sequence[Parcel] | None
    raw: bytes

    @property
    def position(self) -> tuple[int, int]:
        """The stream id as (milliseconds, sequence)."""
        return position(self.stream_id)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Parcel])


def position(stream_id: bytes) -> tuple[int, int]:
    """A stream id as (milliseconds, sequence)."""
    milliseconds, _, sequence = stream_id.partition(b"-")
    return int(milliseconds), int(sequence)


def fields(entry: uuid.UUID, parcels: Sequence[Parcel], count: int) -> dict[bytes, bytes | int]:
    """The fields of a stream entry with `count` submissions."""
    return {b"e": entry.bytes, b"n": count, b"p": _ENCODER.encode(parcels)}


def entry_of(stream_id: bytes, found: Mapping[bytes, bytes]) -> Entry:
    """The entry that a stream's fields hold; one without parcels when this product did not write them."""
    try:
        return _own(stream_id, found)
    except (ValueError, KeyError):
        # Keep what is there, under an identity that a redelivery finds again.
        identity = uuid.uuid5(uuid.NAMESPACE_OID, stream_id.decode())
        return Entry(stream_id, identity, 1, None, repr(found).encode())


def _own(stream_id: bytes, found: Mapping[bytes, bytes]) -> Entry:
    """Raises KeyError and ValueError when this product did not write it."""
    raw = found[b"p"]
    parcels = _DECODER.decode(raw)
    accepted = sum(map(_submissions, parcels))
    if accepted != int(found[b"n"]) or not accepted:
        raise ValueError("a wrong number of submissions")
    return Entry(stream_id, uuid.UUID(bytes=found[b"e"]), accepted, parcels, raw)


def _submissions(parcel: Parcel) -> int:
    """How many a parcel holds. Raises ValueError for columns that could never be written to the tables."""
    size = len(parcel.ids)
    if len(parcel.bodies) != size or len(parcel.receipts) != RECEIPT_BYTES * size:
        raise ValueError("columns of different lengths")
    if "\0" in parcel.channel or "\0" in "".join(parcel.ids) or not 0 <= parcel.received_us < _LATEST_US:
        raise ValueError("a value that PostgreSQL does not hold")
    return size

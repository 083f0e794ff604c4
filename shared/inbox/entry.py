"""What one entry of the inbox holds, as bytes and as values."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

RECEIPT_BYTES = 16
_LATEST_US = 253_370_764_800_000_000  # the year 9999


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """The submissions of one request, column by column. `receipts` holds 16 bytes each; bodies are JSON as sent."""

    channel: str
    received_us: int  # microseconds since 1970
    receipts: bytes
    ids: list[str]
    bodies: list[bytes]


class Parcels(msgspec.Struct, array_like=True, frozen=True):
    """The parcels of an entry, as the columns in which they are stored: most parcels hold a single submission."""

    channels: list[str]  # of each parcel
    received_us: list[int]
    sizes: list[int]
    receipts: bytes  # of each submission, parcel by parcel
    ids: list[str]
    bodies: list[bytes]

    @classmethod
    def of(cls, parcels: Sequence[Parcel]) -> Self:
        """The columns of these parcels."""
        return cls(
            [parcel.channel for parcel in parcels],
            [parcel.received_us for parcel in parcels],
            [len(parcel.ids) for parcel in parcels],
            b"".join([parcel.receipts for parcel in parcels]),
            [name for parcel in parcels for name in parcel.ids],
            [body for parcel in parcels for body in parcel.bodies],
        )

    def __iter__(self) -> Iterator[Parcel]:
        """The parcels, one after the other."""
        at = 0
        for channel, received_us, size in zip(
            self.channels, self.received_us, self.sizes, strict=True
        ):
            end = at + size
            receipts = self.receipts[RECEIPT_BYTES * at : RECEIPT_BYTES * end]
            yield Parcel(channel, received_us, receipts, self.ids[at:end], self.bodies[at:end])
            at = end


@dataclass(frozen=True, slots=True)
class Entry:
    """One claimed entry of the stream.

    `parcels` is None when the entry is not of this product's making: `raw` is what it holds, and it
    counts as one submission, accepted at the moment at which it is settled.
    """

    stream_id: bytes
    entry: uuid.UUID
    accepted: int
    parcels: Parcels | None
    raw: bytes

    @property
    def position(self) -> tuple[int, int]:
        """The stream id as (milliseconds, sequence)."""
        return position(self.stream_id)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Parcels)


def position(stream_id: bytes) -> tuple[int, int]:
    """A stream id as (milliseconds, sequence)."""
    milliseconds, _, sequence = stream_id.partition(b"-")
    return int(milliseconds), int(sequence)


def fields(entry: uuid.UUID, parcels: Sequence[Parcel], count: int) -> dict[bytes, bytes | int]:
    """The fields of a stream entry with `count` submissions."""
    return {b"e": entry.bytes, b"n": count, b"p": _ENCODER.encode(Parcels.of(parcels))}


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
    accepted = _submissions(parcels)
    if accepted != int(found[b"n"]) or not accepted:
        raise ValueError("a wrong number of submissions")
    return Entry(stream_id, uuid.UUID(bytes=found[b"e"]), accepted, parcels, raw)


def _submissions(held: Parcels) -> int:
    """How many these are. Raises ValueError for columns that could never be written to the tables."""
    parcels, size = len(held.sizes), len(held.ids)
    if not len(held.channels) == len(held.received_us) == parcels:
        raise ValueError("columns of different lengths")
    if (
        not len(held.bodies) == sum(held.sizes) == size
        or len(held.receipts) != RECEIPT_BYTES * size
    ):
        raise ValueError("columns of different lengths")
    if (
        not size
        or min(held.sizes) < 0
        or min(held.received_us) < 0
        or max(held.received_us) >= _LATEST_US
    ):
        raise ValueError("a number that is out of range")
    if "\0" in "".join(held.channels) or "\0" in "".join(held.ids):
        raise ValueError("a text that PostgreSQL does not hold")
    return size

"""What one entry of the inbox holds, as bytes and as values."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

from shared.domain.submission.identity import RECEIPT_BYTES

FOREIGN_CHANNEL = "inbox"  # under which a submission of what others wrote is parked
_LATEST_US = 253_370_764_800_000_000  # the year 9999


class Parcel(msgspec.Struct, gc=False):
    """The submissions of one request, column by column.

    `receipts` holds 16 bytes for each, and is empty until they are worked out; bodies are JSON as
    it was sent.
    """

    channel: str
    received_us: int  # microseconds since 1970
    receipts: bytes
    ids: list[str]
    bodies: list[bytes]


class Parcels(msgspec.Struct, array_like=True, frozen=True):
    """The parcels of an entry as columns, because most parcels hold a single submission."""

    channels: list[str]  # of each parcel
    received_us: list[int]
    sizes: list[int]
    receipts: bytes  # of each submission, parcel by parcel
    ids: list[str]
    bodies: list[bytes]

    @classmethod
    def of(cls, parcels: Sequence[Parcel]) -> Self:
        """Return the columns of these parcels."""
        return cls(
            [parcel.channel for parcel in parcels],
            [parcel.received_us for parcel in parcels],
            [len(parcel.ids) for parcel in parcels],
            b"".join([parcel.receipts for parcel in parcels]),
            [name for parcel in parcels for name in parcel.ids],
            [body for parcel in parcels for body in parcel.bodies],
        )

    def __iter__(self) -> Iterator[Parcel]:
        start = 0
        for channel, received_us, size in zip(
            self.channels, self.received_us, self.sizes, strict=True
        ):
            end = start + size
            receipts = self.receipts[RECEIPT_BYTES * start : RECEIPT_BYTES * end]
            yield Parcel(
                channel, received_us, receipts, self.ids[start:end], self.bodies[start:end]
            )
            start = end


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
    """Return a stream id as (milliseconds, sequence)."""
    milliseconds, _, sequence = stream_id.partition(b"-")
    return int(milliseconds), int(sequence)


def fields(entry: uuid.UUID, parcels: Sequence[Parcel], count: int) -> dict[bytes, bytes | int]:
    """Return the fields of a stream entry with `count` submissions."""
    return {b"e": entry.bytes, b"n": count, b"p": _ENCODER.encode(Parcels.of(parcels))}


def entry_of(stream_id: bytes, stored: Mapping[bytes, bytes]) -> Entry:
    """Return the entry that a stream's fields hold; without parcels where others wrote them."""
    try:
        return _own(stream_id, stored)
    except (ValueError, KeyError):
        # Keep what is there, under an identity that a redelivery finds again.
        identity = foreign_identity(stream_id.decode())
        return Entry(stream_id, identity, 1, None, repr(stored).encode())


def foreign_identity(stream_id: str) -> uuid.UUID:
    """Return the identity, and so the receipt, of an entry that others wrote."""
    return uuid.uuid5(uuid.NAMESPACE_OID, stream_id)


def _own(stream_id: bytes, stored: Mapping[bytes, bytes]) -> Entry:
    """Return an entry of this product. Raises KeyError or ValueError for any other."""
    raw = stored[b"p"]
    parcels = _DECODER.decode(raw)
    accepted = _submissions(parcels)
    if accepted != int(stored[b"n"]) or not accepted:
        raise ValueError("a wrong number of submissions")
    return Entry(stream_id, uuid.UUID(bytes=stored[b"e"]), accepted, parcels, raw)


def _submissions(parcels: Parcels) -> int:
    """Count the submissions. Raises ValueError for columns that no table could ever hold."""
    sizes, times_us, count = parcels.sizes, parcels.received_us, len(parcels.ids)
    if not len(parcels.channels) == len(times_us) == len(sizes):
        raise ValueError("columns of different lengths")
    if not len(parcels.bodies) == sum(sizes) == count:
        raise ValueError("columns of different lengths")
    if len(parcels.receipts) != RECEIPT_BYTES * count:
        raise ValueError("columns of different lengths")
    if not count or min(sizes) < 0 or min(times_us) < 0 or max(times_us) >= _LATEST_US:
        raise ValueError("a number that is out of range")
    if "\0" in "".join(parcels.channels) or "\0" in "".join(parcels.ids):
        raise ValueError("a text that PostgreSQL does not hold")
    return count

"""32 bits that tell one content from another: not against malice, a sender owns its ids."""

import zlib
from collections.abc import Sequence

import numpy as np

from services.aggregate.counting.columns import IntColumn, int_column
from services.aggregate.counting.decode import DecodedSubmissions

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 by the golden ratio, odd
_LOWEST = -0x80000000  # PostgreSQL's integers are signed


def digest_of_bytes(content: bytes) -> int:
    """Return the digest of what cannot be read as a submission."""
    return zlib.crc32(content) + _LOWEST


def digests(decoded: DecodedSubmissions, bodies: Sequence[bytes]) -> IntColumn:
    """Return the digests of what submissions say, however written and whatever the registry has.

    Id and channel are no part of it: they are what a receipt is made of. Of what cannot be read
    the digest is that of its bytes.
    """
    destination_crcs = int_column(
        0 if destination is None else destination.crc for destination in decoded.destinations
    )
    mixed = np.zeros(len(bodies), dtype=np.uint64)
    for part in (
        destination_crcs[decoded.destination_index],
        decoded.sent_us,
        decoded.is_timed,
        decoded.answer_crcs,
        decoded.profiles,
        decoded.comment_crcs,
    ):
        mixed = (mixed ^ part.astype(np.int64).view(np.uint64)) * _MIX
        mixed ^= mixed >> np.uint64(29)
    column = (mixed >> np.uint64(32)).astype(np.int64) + _LOWEST
    unreadable = np.flatnonzero(~decoded.is_readable)
    column[unreadable] = [digest_of_bytes(bodies[position]) for position in unreadable.tolist()]
    return column

"""The ledger: who sent what, once. A receipt that is there already is a repetition."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from shared.storage import binary
from shared.storage.cursor import Cursor

_COPY = "COPY receipt (receipt, received_at, digest, channel, state, reason, source_id) FROM STDIN (FORMAT BINARY)"
_ROW = (7).to_bytes(2, "big") + binary.LENGTH_16
_KNOWN = "SELECT receipt, digest FROM receipt WHERE receipt = ANY(%b::uuid[])"
_COUNTED = """
UPDATE receipt SET state = 'counted', reason = NULL, digest = d
FROM unnest(%b::uuid[], %b::int4[]) AS x (r, d) WHERE receipt = r
"""


def stored_digests(cursor: Cursor, receipts: bytes) -> dict[bytes, int]:
    """Those of the receipts (16 bytes each) that were entered already, with the digests of what they stand for."""
    cursor.execute(_KNOWN, (binary.uuid_array(receipts),))
    found: dict[bytes, int] = {}
    for receipt, digest in cursor:
        if isinstance(receipt, UUID) and isinstance(digest, int):
            found[receipt.bytes] = digest
    return found


class ReceiptColumns(NamedTuple):
    """Submissions that want to be counted or parked, column by column.

    `receipts`: 16 bytes each; `received_us`: microseconds since 1970; `digests`: 32 bits of the
    content of each.
    """

    receipts: bytes
    received_us: NDArray[np.int64]
    digests: NDArray[np.int64]
    channels: Sequence[str]
    ids: Sequence[str]


def encode_rows(columns: ReceiptColumns, reasons: Mapping[int, str]) -> bytes:
    """Rows of the table, as COPY takes them; `reasons`: of those that are parked, by their position."""
    heads = binary.records(
        len(columns.ids),
        [
            _ROW,
            binary.uuid_matrix(columns.receipts),
            binary.LENGTH_8,
            binary.instant_matrix(columns.received_us),
            binary.LENGTH_4,
            binary.int4_matrix(columns.digests),
        ],
    )
    states = [_state(channel, "") for channel in columns.channels]
    for at, reason in reasons.items():
        states[at] = _state(columns.channels[at], reason)
    return binary.together(heads, states, *binary.text_columns(columns.ids))


def copy(cursor: Cursor, encoded: bytes) -> None:
    """Write rows that `encode_rows` made, sorted by receipt: two workers with the same ones wait and never deadlock.

    A unique violation means that another worker wrote one of them.
    """
    binary.copy(cursor, _COPY, encoded)


@lru_cache(maxsize=65536)
def _state(channel: str, reason: str) -> bytes:
    state = binary.text("parked" if reason else "counted")
    return binary.text(channel) + state + binary.text(reason or None)


def mark_counted(cursor: Cursor, digests: Mapping[bytes, int]) -> None:
    """Parked receipts have been counted after all; the digest of their content as it is read now."""
    cursor.execute(_COUNTED, (binary.uuids(list(digests)), binary.integers(list(digests.values()))))

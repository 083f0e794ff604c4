"""The receipts: who sent what, once. A receipt that is there already is a repetition."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from shared.storage import binary
from shared.storage.cursor import Cursor, copy_rows

# Which of the receipts are stored, and what content each stands for.
_SELECT_DIGESTS = "SELECT receipt, digest FROM receipt WHERE receipt = ANY(%(receipts)b::uuid[])"
# Write new receipts; one that is there already fails the statement.
_COPY = """
COPY receipt (receipt, received_at, digest, channel, state, reason, source_id)
FROM STDIN (FORMAT BINARY)
"""
# Turn parked receipts into counted ones.
_MARK_COUNTED = """
UPDATE receipt SET state = 'counted', reason = NULL WHERE receipt = ANY(%(receipts)b::uuid[])
"""
_ROW_HEAD = (7).to_bytes(2, "big") + binary.LENGTH_16  # seven fields, the first of 16 bytes


class ReceiptColumns(NamedTuple):
    """Submissions that want to be counted or parked, column by column.

    `receipts`: 16 bytes each; `received_us`: microseconds since 1970; `digests`: of the
    content of each, 64 bits, signed.
    """

    receipts: bytes
    received_us: NDArray[np.int64]
    digests: NDArray[np.int64]
    channels: Sequence[str]
    ids: Sequence[str]


def stored_digests(cursor: Cursor, receipts: bytes) -> dict[bytes, int | None]:
    """Return those of the receipts (16 bytes each) that are stored, with their digests.

    The digest is None for what came before digests had 64 bits.
    """
    cursor.execute(_SELECT_DIGESTS, {"receipts": binary.uuid_array(receipts)})
    return {
        receipt.bytes: digest if isinstance(digest, int) else None
        for receipt, digest in cursor
        if isinstance(receipt, UUID)
    }


def encode_rows(columns: ReceiptColumns, reasons: Mapping[int, str]) -> bytes:
    """Return rows as COPY takes them; `reasons`: of those that are parked, by position."""
    heads = binary.fixed_rows(
        len(columns.ids),
        [
            _ROW_HEAD,
            binary.uuid_matrix(columns.receipts),
            binary.LENGTH_8,
            binary.instant_matrix(columns.received_us),
            binary.LENGTH_8,
            binary.int8_matrix(columns.digests),
        ],
    )
    fates = [_encode_fate(channel, None) for channel in columns.channels]
    for position, reason in reasons.items():
        fates[position] = _encode_fate(columns.channels[position], reason)
    return binary.interleave(heads, fates, *binary.text_columns(columns.ids))


def copy(cursor: Cursor, encoded_rows: bytes) -> None:
    """Write rows that `encode_rows` made.

    They are sorted by receipt: workers with the same ones wait and never deadlock. A unique
    violation means that another worker wrote one of them.
    """
    copy_rows(cursor, _COPY, encoded_rows)


def mark_counted(cursor: Cursor, receipts: bytes) -> None:
    """Make parked receipts (16 bytes each) counted ones."""
    cursor.execute(_MARK_COUNTED, {"receipts": binary.uuid_array(receipts)})


@lru_cache(maxsize=65536)
def _encode_fate(channel: str, reason: str | None) -> bytes:
    """Return the fields channel, state and reason; without a reason a submission is counted."""
    state = "counted" if reason is None else "parked"
    return binary.text_field(channel) + binary.text_field(state) + binary.text_field(reason)

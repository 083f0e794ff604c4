"""The ledger: who sent what, once. A receipt that is there already is a repetition."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import psycopg

from shared.storage import binary

Cursor = psycopg.Cursor[tuple[object, ...]]

# Rows arrive sorted by receipt: two workers with the same receipts wait for each other and never deadlock.
_INSERT = """
INSERT INTO receipt (receipt, channel, source_id, received_at, state, reason, digest)
SELECT r, c, s, a, CASE WHEN p = '' THEN 'counted' ELSE 'parked' END, NULLIF(p, ''), d
FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::timestamptz[], %b::text[], %b::int4[]) AS x (r, c, s, a, p, d)
ON CONFLICT (receipt) DO NOTHING
RETURNING receipt
"""
_DIGESTS = "SELECT receipt, digest FROM receipt WHERE receipt = ANY(%b::uuid[])"
_COUNTED = """
UPDATE receipt SET state = 'counted', reason = NULL, digest = d
FROM unnest(%b::uuid[], %b::int4[]) AS x (r, d) WHERE receipt = r
"""


class Claim(NamedTuple):
    """A submission that wants to be counted or parked; `reason` is "" when it can be counted.

    `receipt` has 16 bytes, `received_us` microseconds since 1970, `digest` 32 bits of its content.
    """

    receipt: bytes
    channel: str
    source_id: str
    received_us: int
    reason: str
    digest: int


class Claims(NamedTuple):
    """Claims as parameters of the statement."""

    size: int
    parameters: tuple[binary.Array, ...]


def prepared(claims: Sequence[Claim]) -> Claims:
    """Claims ready to be entered; needs no database."""
    ordered = sorted(claims, key=itemgetter(0))  # by receipt; of equal ones the first stays the first
    parameters = (
        binary.uuids([claim.receipt for claim in ordered]),
        binary.repeated([claim.channel for claim in ordered]),
        binary.texts([claim.source_id for claim in ordered]),
        binary.instants([claim.received_us for claim in ordered]),
        binary.repeated([claim.reason for claim in ordered]),
        binary.integers([claim.digest for claim in ordered]),
    )
    return Claims(len(ordered), parameters)


def insert(cursor: Cursor, claims: Claims) -> set[bytes] | None:
    """Enter the claims; the receipts that were new, or None when all of them were (each then occurs once)."""
    cursor.execute(_INSERT, claims.parameters)
    if cursor.rowcount == claims.size:
        return None
    return {receipt.bytes for (receipt,) in cursor if isinstance(receipt, UUID)}


def digests(cursor: Cursor, receipts: Sequence[bytes]) -> dict[bytes, int]:
    """The digests under which these receipts were entered."""
    cursor.execute(_DIGESTS, (binary.uuids(receipts),))
    found: dict[bytes, int] = {}
    for receipt, digest in cursor:
        if isinstance(receipt, UUID) and isinstance(digest, int):
            found[receipt.bytes] = digest
    return found


def mark_counted(cursor: Cursor, digests: Mapping[bytes, int]) -> None:
    """Parked receipts have been counted after all; the digest of their content as it is read now."""
    cursor.execute(_COUNTED, (binary.uuids(list(digests)), binary.integers(list(digests.values()))))

"""What identifies a submission, and the limits of its texts.

A receipt is the UUIDv5 (RFC 9562, 5.5) of the sender's id within the namespace of its channel: the
same submission, sent again, has the same receipt, on every machine and without asking anybody.
"""

import hashlib
import uuid
from typing import Final

RECEIPT_BYTES: Final = 16
ID_MAX: Final = 128
CODE_MAX: Final = 64
COMMENT_MAX: Final = 2000

# Never change: every receipt ever given out follows from it.
RECEIPTS: Final = uuid.UUID("3f0c52a4-8a55-4d0e-9a0b-5b1f6f0a7c21")
# RFC 9562: what of a digest stays, and the version (5) and variant in the place of the rest.
_KEPT: Final = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_VERSION_5: Final = 0x00000000_0000_5000_8000_000000000000


def receipt_namespace(channel: str) -> bytes:
    """Return the 16 bytes of the namespace of a channel's receipts."""
    return uuid.uuid5(RECEIPTS, channel).bytes


def receipt_bytes(namespace: bytes, source_id: str) -> bytes:
    """Return the 16 bytes of the receipt of a submission; equals uuid.uuid5, a few times faster.

    `source_id` is the id that its sender gave it, already checked (no lone surrogates).
    """
    digest = hashlib.sha1(namespace + source_id.encode(), usedforsecurity=False).digest()
    number = int.from_bytes(digest[:16], "big")
    return (number & _KEPT | _VERSION_5).to_bytes(16, "big")


def receipt_text(receipt: bytes) -> str:
    """Return a receipt in the usual form, 8-4-4-4-12 hexadecimal digits."""
    digits = receipt.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def receipt_texts(receipts: bytes) -> list[str]:
    """Return receipts, 16 bytes each and one after the other, in the usual form."""
    return [
        receipt_text(receipts[start : start + RECEIPT_BYTES])
        for start in range(0, len(receipts), RECEIPT_BYTES)
    ]

"""What identifies a submission, and the limits of its texts.

A receipt is a UUID of version 8 (RFC 9562, 5.8): 122 bits of the HMAC-SHA-256 of channel and the
sender's id by the secret of the installation. The same submission, sent again, has the same receipt
in every process that holds the secret; who does not hold it can neither work out nor guess one.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

SECRET_BYTES: Final = 32
RECEIPT_BYTES: Final = 16
RECEIPT_VERSION: Final = 8
ID_MAX: Final = 128
CODE_MAX: Final = 64
COMMENT_MAX: Final = 2000
POINT_MAX: Final = 64
POINT_PATTERN: Final = r"^[A-Za-z0-9._-]+\Z"

# Never change, nor anything in ReceiptMaker: every receipt ever given out follows from it.
_NO_CHANNEL: Final = ""  # no channel has this name: in the place of one, for receipts of conflicts
_CHANNELS_MAX: Final = 4096  # remembered
_BLOCK_BYTES: Final = 64  # of SHA-256
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))
# The seventh byte of a UUID begins with its version, the ninth with its variant.
VERSION_BYTE, _VARIANT_BYTE = 6, 8
_WITH_VERSION: Final = bytes(byte & 0x0F | RECEIPT_VERSION << 4 for byte in range(256))
_WITH_VARIANT: Final = bytes(byte & 0x3F | 0x80 for byte in range(256))


class ReceiptMaker:
    """Makes the receipts of an installation from its secret, which it shows to nobody.

    Both hashes of HMAC are begun once, as RFC 2104, 4, proposes, and copied for each id: 2.3 us a
    receipt instead of the 5.5 of hmac.digest.
    """

    __slots__ = ("_begun", "_outer")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"the secret of an installation has {SECRET_BYTES} bytes")
        key = secret.ljust(_BLOCK_BYTES, b"\0")
        inner = hashlib.sha256(key.translate(_INNER_PAD))
        self._outer = hashlib.sha256(key.translate(_OUTER_PAD))

        def begin(channel: str) -> "hashlib._Hash":
            name = channel.encode()
            begun = inner.copy()
            begun.update(len(name).to_bytes(2, "big") + name)
            return begun

        self._begun = lru_cache(_CHANNELS_MAX)(begin)

    def receipts(self, channel: str, source_ids: Iterable[str]) -> bytes:
        """Return the receipts of a channel's submissions, 16 bytes each, one after the other.

        `source_ids` are those that their sender gave them, already checked (no lone surrogates).
        """
        return self.all_receipts([(channel, source_ids)])

    def all_receipts(self, submissions: Iterable[tuple[str, Iterable[str]]]) -> bytes:
        """Return the receipts of several channels' submissions, 16 bytes each, in their order."""
        finish, macs = self._outer.copy, []
        for channel, source_ids in submissions:
            begin = self._begun(channel).copy
            for source_id in source_ids:
                inner, outer = begin(), finish()
                inner.update(source_id.encode())
                outer.update(inner.digest())
                macs.append(outer.digest()[:RECEIPT_BYTES])
        return _uuids(macs)

    def conflict_receipt(self, receipt: bytes, digest: int) -> bytes:
        """Return the receipt of a content that came under the id of another one.

        It follows from the receipt of the first and the digest of the content.
        """
        inner, outer = self._begun(_NO_CHANNEL).copy(), self._outer.copy()
        inner.update(receipt + digest.to_bytes(8, "big", signed=True))
        outer.update(inner.digest())
        return _uuids([outer.digest()[:RECEIPT_BYTES]])


def _uuids(macs: Iterable[bytes]) -> bytes:
    """Write version and variant into 16 bytes each: a column at a time, a tenth of an integer's."""
    uuids = bytearray(b"".join(macs))
    for position, table in ((VERSION_BYTE, _WITH_VERSION), (_VARIANT_BYTE, _WITH_VARIANT)):
        uuids[position::RECEIPT_BYTES] = uuids[position::RECEIPT_BYTES].translate(table)
    return bytes(uuids)


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

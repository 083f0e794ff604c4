"""The token of a page: signed, expiring, and the id of the answer that the page will send.

    token = base64url(random 12 bytes · seconds since 1970 · first 16 bytes of the HMAC)

A page that is sent twice has the same token, hence the same id, and counts once. A phone without
network may answer several times from one kept page: such answers are numbered, a few a token.
"""

import base64
import binascii
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Final, Self

LIFETIME_S: Final = 14 * 86_400  # a week without network, and another for the way back
ANSWERS_MAX: Final = 10  # of one token
_NONCE_BYTES: Final = 12
_TIME_BYTES: Final = 4
_MAC_BYTES: Final = 16
_PURPOSE: Final = b"form"


@dataclass(frozen=True, slots=True)
class FormToken:
    """Says when a page was made, and which ids its answers have."""

    nonce: bytes
    made_s: int

    @classmethod
    def new(cls) -> Self:
        """Return a token of now."""
        return cls(secrets.token_bytes(_NONCE_BYTES), int(time.time()))

    @classmethod
    def read(cls, secret: bytes, text: str, now_s: float) -> Self | None:
        """Return the token that was written so; None when it is forged or has expired."""
        try:
            content = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError, ValueError):
            return None
        head, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
        if len(head) != _NONCE_BYTES + _TIME_BYTES or not hmac.compare_digest(
            mac, _mac(secret, head)
        ):
            return None
        made_s = int.from_bytes(head[_NONCE_BYTES:], "big")
        return cls(head[:_NONCE_BYTES], made_s) if now_s - made_s <= LIFETIME_S else None

    def text(self, secret: bytes) -> str:
        """Return the token as a page carries it."""
        head = self.nonce + self.made_s.to_bytes(_TIME_BYTES, "big")
        return base64.urlsafe_b64encode(head + _mac(secret, head)).decode()

    def source_id(self, number: int) -> str:
        """Return the id of an answer of this page."""
        return f"{self.nonce.hex()}-{number}"


def _mac(secret: bytes, head: bytes) -> bytes:
    key = hmac.digest(secret, _PURPOSE, "sha256")
    return hmac.digest(key, head, "sha256")[:_MAC_BYTES]

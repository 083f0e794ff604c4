"""Tickets: codes for whoever was served, so that nobody else answers, and each answers once.

A code is a serial (30 bits) and 50 bits of the HMAC-SHA-256 of serial, OPD and layanan by a key
that follows from the installation's secret: 16 signs of Crockford's base32 in groups of four.
Nothing about a code is stored; who holds the secret reads it.

To guess one is to guess 50 bits: with 100 tries a second for a year, each tried against the 30
layanan of an OPD, the chance of a single false ticket is 1 to 12,000. Who may try faster than
that has a key, and is trusted without a ticket.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.domain.submission.identity import SECRET_BYTES

# Never change: every printed ticket follows from these.
SERIAL_BITS: Final = 30
MAC_BITS: Final = 50
SERIALS: Final = 1 << SERIAL_BITS
SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_SIGNS: Final = 16
_GROUP: Final = 4
_SIGN_BITS: Final = 5
# No channel's name is as long as the first two bytes say, with which those of receipts begin.
_PURPOSE: Final = b"ticket"

TYPED_MAX: Final = 64  # characters of what somebody may type or scan
_BETWEEN: Final = re.compile(r"[\s.\-–—_]+")
_MISREAD: Final = str.maketrans("OILU", "011V")
_VALUES: Final = {sign: value for value, sign in enumerate(SIGNS)}


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a code stands for: one answer about one layanan."""

    serial: int
    opd: str
    layanan: str

    @property
    def source_id(self) -> str:
        """The id under which its answer is stored: whatever way it comes, it counts once."""
        return str(self.serial)


def ticket_code(secret: bytes, ticket: Ticket) -> str:
    """Return the code of a ticket, as it is printed: `7K3M-9QWE-R2TX-8ZPA`."""
    if not 0 <= ticket.serial < SERIALS:
        raise ValueError(f"a serial has {SERIAL_BITS} bits")
    return _printed(ticket.serial << MAC_BITS | _mac(_key(secret), ticket))


def read_ticket(secret: bytes, code: str, places: Iterable[tuple[str, str]]) -> Ticket | None:
    """Return the ticket of a typed or scanned code, for one of the places (OPD, layanan).

    None when it is that of none of them. Small letters, spaces and hyphens do not matter, nor is it
    a mistake to read O for 0, I or L for 1, U for V. It costs two microseconds a place.
    """
    number = _number(code)
    if number is None:
        return None
    serial, mac = number >> MAC_BITS, number & (1 << MAC_BITS) - 1
    key = _key(secret)
    for opd, layanan in places:
        ticket = Ticket(serial, opd, layanan)
        if hmac.compare_digest(_mac(key, ticket).to_bytes(8), mac.to_bytes(8)):
            return ticket
    return None


def _printed(number: int) -> str:
    last_bit = _SIGN_BITS * (CODE_SIGNS - 1)
    signs = "".join(
        SIGNS[number >> shift & (1 << _SIGN_BITS) - 1] for shift in range(last_bit, -1, -_SIGN_BITS)
    )
    return "-".join(signs[start : start + _GROUP] for start in range(0, CODE_SIGNS, _GROUP))


def _number(code: str) -> int | None:
    if len(code) > TYPED_MAX:
        return None
    signs = _BETWEEN.sub("", code).upper().translate(_MISREAD)
    if len(signs) != CODE_SIGNS or any(sign not in _VALUES for sign in signs):
        return None
    number = 0
    for sign in signs:
        number = number << _SIGN_BITS | _VALUES[sign]
    return number


def _key(secret: bytes) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"the secret of an installation has {SECRET_BYTES} bytes")
    return hmac.digest(secret, _PURPOSE, "sha256")


def _mac(key: bytes, ticket: Ticket) -> int:
    opd, layanan = ticket.opd.encode(), ticket.layanan.encode()
    message = b"".join(
        (ticket.serial.to_bytes(4), len(opd).to_bytes(2), opd, len(layanan).to_bytes(2), layanan)
    )
    return int.from_bytes(hmac.digest(key, message, "sha256")) & (1 << MAC_BITS) - 1

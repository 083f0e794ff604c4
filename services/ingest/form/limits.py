"""How many answers one address may send: by a hash whose salt is thrown away every day.

Salt and counts live in the memory of the process alone. A whole office shares one address, so the
limit is generous: it stops a program, never a queue of people.
"""

import hashlib
import secrets
import time
from collections.abc import Callable

_DAY_S = 86_400
_HOUR_S = 3_600
_ADDRESSES_MAX = 100_000  # remembered in an hour; with more, all counts begin anew


class AddressLimit:
    """Counts the answers of each address in the present hour."""

    def __init__(self, hourly: int, clock: Callable[[], float] = time.time) -> None:
        self._hourly = hourly
        self._clock = clock
        self._day = self._hour = -1
        self._salt = b""
        self._counts: dict[bytes, int] = {}

    def admits(self, address: str) -> bool:
        """Count an answer; tell whether it is within the limit."""
        now_s = self._clock()
        if self._day != int(now_s // _DAY_S):
            self._day, self._salt = int(now_s // _DAY_S), secrets.token_bytes(16)
        if self._hour != int(now_s // _HOUR_S) or len(self._counts) >= _ADDRESSES_MAX:
            self._hour = int(now_s // _HOUR_S)
            self._counts.clear()
        name = hashlib.blake2b(address.encode(), key=self._salt, digest_size=16).digest()
        self._counts[name] = self._counts.get(name, 0) + 1
        return self._counts[name] <= self._hourly

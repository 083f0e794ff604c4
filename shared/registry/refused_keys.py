"""Keys that were refused: told in the log without the key, slowed without storing an address.

Only a request whose key is unknown comes here. Many share one address, so a key that is known is
never slowed, whatever else comes from there: it is looked up first.
"""

import hashlib
import ipaddress
import logging
import math
import secrets
import threading
from collections import Counter
from time import monotonic

from shared.problems import Problem, problem
from shared.registry.access import KeyRefused

log = logging.getLogger(__name__)

WINDOW_S = 60.0
ADDRESS_MAX = 30  # refusals of one address in a window that are answered with 401
ADDRESSES_MAX = 10_000  # remembered in a window; all further ones are slowed at once
KEYS_MAX = 1000  # told apart in a window
KEYS_LISTED = 10  # in a line of the log
_OTHERS = "others"
_PREFIX = 8  # hexadecimal digits of a key's SHA-256: enough to find its owner, too few to find it
_IPV6_NETWORK = 64  # one customer has as many addresses as this leaves
_SALT_BYTES = 16

_SLOWED = problem(
    "too-many-requests", "too many unknown keys came from this address: check the key"
).with_headers(connection="close")


class RefusedKeys:
    """What was refused in the present minute; after it a line in the log, and all is forgotten.

    Addresses are counted by a hash whose salt is made anew every minute and never leaves memory.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end_s = -math.inf  # of the window, on the monotonic clock
        self._forget()

    def answer(self, refused: KeyRefused, address: str) -> Problem:
        """Note a refusal and return its answer: 401, or 429 to an address with too many."""
        with self._lock:
            if not self._keys:
                self._begin()
            prefix = refused.digest[:_PREFIX]
            is_told_apart = prefix in self._keys or len(self._keys) < KEYS_MAX
            self._keys[prefix if is_told_apart else _OTHERS] += 1
            network = self._hash_of(address)
            if network not in self._addresses and len(self._addresses) >= ADDRESSES_MAX:
                count = ADDRESS_MAX + 1
            else:
                self._addresses[network] += 1
                count = self._addresses[network]
            if count <= ADDRESS_MAX:
                return refused.problem
            self._slowed += 1
            wait_s = max(1, math.ceil(self._end_s - monotonic()))
        return _SLOWED.with_headers(retry_after=str(wait_s))

    def report(self) -> None:
        """Tell what was refused, in one line, and forget it."""
        with self._lock:
            keys, slowed = self._keys, self._slowed
            self._forget()
        if keys:
            listed = dict(keys.most_common(KEYS_LISTED))
            counts = {"refused": keys.total(), "slowed": slowed, "keys": len(keys)}
            log.warning("unknown keys were refused", extra={**counts, "sha256": listed})

    def _begin(self) -> None:
        """Begin a window, which reports itself at its end."""
        self._end_s = monotonic() + WINDOW_S
        self.timer = threading.Timer(WINDOW_S, self.report)
        self.timer.daemon = True
        self.timer.start()

    def _forget(self) -> None:
        self._keys: Counter[str] = Counter()
        self._addresses: Counter[bytes] = Counter()
        self._slowed = 0
        self._salt = secrets.token_bytes(_SALT_BYTES)

    def _hash_of(self, address: str) -> bytes:
        network = _network(address).encode()
        return hashlib.blake2b(network, digest_size=8, key=self._salt).digest()


def _network(address: str) -> str:
    """Return what is one sender's: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has none
        return ""
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _IPV6_NETWORK), strict=False))

"""Who sends: the channel key of a request, judged by the registry snapshot in memory."""

import hashlib
from datetime import date

from shared.problems import Refused, problem
from shared.registry.snapshot import Channel, Registry

MOST_HEADERS = 10_000  # remembered
_BEARER = b"bearer "

_MISSING = problem("unauthorized", "send Authorization: Bearer <channel key>").with_headers(
    www_authenticate="Bearer"
)
_UNKNOWN = problem("unauthorized", "this channel key is not known or was revoked").with_headers(
    www_authenticate='Bearer error="invalid_token"'
)
_CLOSED = problem("forbidden", "this channel is closed")


def authenticate(registry: Registry, authorization: bytes | None, today: date) -> Channel:
    """Return the open channel of the key in an Authorization header; Refused without one."""
    if authorization is None or authorization[:7].lower() != _BEARER:
        raise Refused(_MISSING)
    # Keys are long and random: a plain SHA-256 is enough, and a lookup by it leaks nothing of the
    # key by its timing.
    key = registry.keys.get(hashlib.sha256(authorization[7:].strip()).hexdigest())
    channel = registry.channels.get(key.channel) if key is not None else None
    if channel is None:
        raise Refused(_UNKNOWN)
    if not channel.is_open(today):
        raise Refused(_CLOSED)
    return channel


class Authenticator:
    """Remembers whose a header is, for one snapshot and one day: most requests repeat a header.

    Only good keys are remembered; spellings of them (spaces, capitals) are limited in number.
    """

    def __init__(self) -> None:
        self._registry = Registry.empty()
        self._today = date.min
        self._channels: dict[bytes, Channel] = {}

    def authenticate(self, registry: Registry, authorization: bytes | None, today: date) -> Channel:
        """Return the open channel of the key in an Authorization header; Refused without one."""
        if registry is not self._registry or today != self._today:
            self._registry, self._today, self._channels = registry, today, {}
        channel = self._channels.get(authorization or b"")
        if channel is None:
            channel = authenticate(registry, authorization, today)
            if authorization is not None and len(self._channels) < MOST_HEADERS:
                self._channels[authorization] = channel
        return channel

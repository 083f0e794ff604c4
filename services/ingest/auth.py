"""Who sends: the channel key of a request, judged by the registry snapshot in memory."""

import hashlib
from datetime import date

from shared.problems import Refused, problem
from shared.registry import Channel, Registry

_BEARER = b"bearer "

_MISSING = problem("unauthorized", "send Authorization: Bearer <channel key>").with_headers(www_authenticate="Bearer")
_UNKNOWN = problem("unauthorized", "this channel key is not known or was revoked").with_headers(
    www_authenticate='Bearer error="invalid_token"'
)
_CLOSED = problem("forbidden", "this channel is closed")


def authenticate(registry: Registry, authorization: bytes | None, today: date) -> Channel:
    """The open channel of the key in an Authorization header; Refused without one."""
    if authorization is None or authorization[:7].lower() != _BEARER:
        raise Refused(_MISSING)
    # Keys are long and random: a plain SHA-256 is enough, and a lookup by it leaks nothing of the key by its timing.
    key = registry.keys.get(hashlib.sha256(authorization[7:].strip()).hexdigest())
    channel = registry.channels.get(key.channel) if key is not None else None
    if channel is None:
        raise Refused(_UNKNOWN)
    if not channel.is_open(today):
        raise Refused(_CLOSED)
    return channel

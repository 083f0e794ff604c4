"""Who sends: the channel of a request, judged by its head and the registry snapshot in memory.

A format whose senders cannot set the header Authorization takes one of these as its `identify`.
"""

from datetime import date
from typing import Final

from services.ingest.formats.format import Request
from shared.problems import Refused, problem
from shared.registry.access import sent_key
from shared.registry.snapshot import Channel, Registry

_READS_ONLY: Final = problem(
    "forbidden",
    "this key may read, not submit: a channel's key is made with ikm key create CHANNEL",
)
_GONE: Final = problem("unauthorized", "the channel of this key is not known").with_headers(
    www_authenticate='Bearer error="invalid_token"'
)
_CLOSED: Final = problem("forbidden", "this channel is closed")
_NO_CHANNEL: Final = problem("not-found", "there is no channel of this name for this path")


def by_path_key(request: Request, today: date) -> Channel:
    """Return the open channel of the key in the path's parameter `key`; Refused without one.

    For programs that can be given an address and no header.
    """
    return by_authorization(
        b"Bearer " + request.parameters["key"].encode(), request.registry, today
    )


def by_path_channel(kind: str, request: Request, today: date) -> Channel:
    """Return the open channel of that kind that the path's parameter `channel` names.

    For senders who sign what they send: `verify` of the format must ask for the proof.
    """
    channel = request.registry.channels.get(request.parameters["channel"])
    if channel is None or channel.kind != kind:
        raise Refused(_NO_CHANNEL)
    return _opened(channel, today)


def by_authorization(authorization: bytes | None, registry: Registry, today: date) -> Channel:
    """Return the open channel of the key in the value of an Authorization header."""
    key = sent_key(registry, authorization)
    if not key.may_submit or key.channel is None:
        raise Refused(_READS_ONLY)
    channel = registry.channels.get(key.channel)
    if channel is None:
        raise Refused(_GONE)
    return _opened(channel, today)


def _opened(channel: Channel, today: date) -> Channel:
    if not channel.is_open(today):
        raise Refused(_CLOSED)
    return channel

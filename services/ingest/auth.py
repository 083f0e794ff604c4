"""Who sends: the key of a request, judged by the registry snapshot in memory."""

from datetime import date

from shared.problems import Refused, problem
from shared.registry.access import sent_key
from shared.registry.snapshot import Channel, Registry

MOST_HEADERS = 10_000  # remembered

_READS_ONLY = problem(
    "forbidden",
    "this key may read, not submit: a channel's key is made with ikm key create CHANNEL",
)
_GONE = problem("unauthorized", "the channel of this key is not known").with_headers(
    www_authenticate='Bearer error="invalid_token"'
)
_CLOSED = problem("forbidden", "this channel is closed")


def authenticate(registry: Registry, authorization: bytes | None, today: date) -> Channel:
    """Return the open channel of the key in an Authorization header; Refused without one."""
    key = sent_key(registry, authorization)
    if not key.may_submit or key.channel is None:
        raise Refused(_READS_ONLY)
    channel = registry.channels.get(key.channel)
    if channel is None:
        raise Refused(_GONE)
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

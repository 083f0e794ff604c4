"""Remembers whose a header is: most requests repeat one."""

from datetime import date

from services.ingest.formats.senders import by_authorization
from shared.registry.snapshot import Channel, Registry

MOST_HEADERS = 10_000  # remembered


class Authenticator:
    """Remembers whose a header is, for one snapshot and one day.

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
            channel = by_authorization(authorization, registry, today)
            if authorization is not None and len(self._channels) < MOST_HEADERS:
                self._channels[authorization] = channel
        return channel

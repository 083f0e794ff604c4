"""The secrets that a channel shares with its sender: set, listed by name, removed, published."""

import re
from typing import Final

from services.ops.registry.keys import UnknownChannel
from services.ops.registry.publication import publish_stored
from shared.clock import utc_now
from shared.domain.errors import IkmError
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import channel_secrets, registry_change, stored_registry
from shared.storage.registry.channel_secrets import StoredSecret

SECRET_MAX: Final = 1_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class InvalidSecret(IkmError):
    """A secret is 1 to 1,000 printable characters without spaces, its name [a-z0-9_-]."""


class UnknownSecret(IkmError):
    """The channel has no secret of this name."""


def set_secret(settings: Settings, channel: str, name: str, secret: str) -> None:
    """Store a secret of a channel, in the place of an earlier one of its name, and publish it."""
    is_printable = secret.isprintable() and " " not in secret
    if not _NAME.fullmatch(name) or not 0 < len(secret) <= SECRET_MAX or not is_printable:
        raise InvalidSecret(name)
    now = utc_now()
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            registry_change.lock(connection)
            channels = stored_registry.load(connection).channels
            if channel not in channels:
                names = ", ".join(channels) or "none (run `ikm apply FILE` first)"
                raise UnknownChannel(f"{channel}; known: {names}")
            channel_secrets.store(connection, StoredSecret(channel, name, now), secret)
            registry_change.raise_version(connection, now)
        publish_stored(settings, engine)


def remove_secret(settings: Settings, channel: str, name: str) -> None:
    """Remove a secret and publish that: what is signed with it is refused within seconds."""
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            registry_change.lock(connection)
            if not channel_secrets.remove(connection, channel, name):
                raise UnknownSecret(f"{channel} {name}; `ikm secret list` shows them")
            registry_change.raise_version(connection, utc_now())
        publish_stored(settings, engine)


def list_secrets(settings: Settings) -> list[StoredSecret]:
    """Return which secrets there are, without the secrets themselves."""
    with opened(settings.need_database()) as engine, transaction(engine) as connection:
        return channel_secrets.list_secrets(connection)

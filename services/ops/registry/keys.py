"""The keys by which senders are told apart: made, listed, revoked; stored as hashes."""

import secrets
from datetime import datetime

from services.ops.registry.publication import publish_stored
from shared.clock import utc_now
from shared.domain.errors import IkmError
from shared.domain.window import local_day
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import channel_keys, registry_change, stored_registry
from shared.storage.registry.channel_keys import StoredKey

KEY_PREFIX = "ikm_"
_KEY_BYTES = 32  # 43 characters in base64
_ID_BYTES = 4


class UnknownChannel(IkmError):
    """There is no such channel."""


class ClosedChannel(IkmError):
    """The channel is closed."""


class UnknownKey(IkmError):
    """There is no such key."""


def create_key(settings: Settings, channel: str, label: str | None = None) -> tuple[str, str]:
    """Make a key for a channel and publish it; return its id and the key, which is shown once."""
    now = utc_now()
    key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    stored = StoredKey(
        secrets.token_hex(_ID_BYTES), channel, label, created_at=now, revoked_at=None
    )
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            registry_change.lock(connection)
            _demand_open(stored_registry.load(connection), channel, now)
            channel_keys.store(connection, key, stored)
            registry_change.raise_version(connection, now)
        publish_stored(settings, engine)
    return stored.id, key


def revoke_key(settings: Settings, key_id: str) -> bool:
    """Revoke a key and publish that; return False when it had been revoked before."""
    now = utc_now()
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            registry_change.lock(connection)
            is_newly_revoked = channel_keys.revoke(connection, key_id, now)
            if is_newly_revoked:
                registry_change.raise_version(connection, now)
            elif all(stored.id != key_id for stored in channel_keys.list_keys(connection)):
                raise UnknownKey(f"{key_id}; `ikm key list` shows them")
        publish_stored(settings, engine)
    return is_newly_revoked


def list_keys(settings: Settings) -> list[StoredKey]:
    """Return all keys, revoked ones too, without the keys themselves: nobody has those any more."""
    with opened(settings.need_database()) as engine, transaction(engine) as connection:
        return channel_keys.list_keys(connection)


def _demand_open(registry: Registry, name: str, now: datetime) -> None:
    channel = registry.channels.get(name)
    if channel is None:
        raise UnknownChannel(
            f"{name}; known: {', '.join(registry.channels) or 'none (run `ikm apply FILE` first)'}"
        )
    if channel.valid_to is not None and channel.valid_to < local_day(now, registry.instansi.zone):
        raise ClosedChannel(f"{name}, since {channel.valid_to}")

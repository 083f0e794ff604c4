"""What `ikm apply` and `ikm key` do: change the registry in one transaction, then publish it to every process."""

import secrets
from datetime import datetime

import click
from redis.exceptions import RedisError
from sqlalchemy import Engine

from shared.clock import utc_now
from shared.connections import worker_redis
from shared.domain.errors import IkmError
from shared.domain.window import local_day
from shared.registry.change import Change
from shared.registry.file import parse
from shared.registry.publication import publish
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import channel_keys, stored_registry
from shared.storage.registry.channel_keys import StoredKey

KEY_PREFIX = "ikm_"
_KEY_BYTES = 32  # 43 characters in base64
_ID_BYTES = 4
_PUBLISH_TIMEOUT_S = 3.0
_NOT_PUBLISHED = (
    "Redis tidak dapat dihubungi; akan diterbitkan otomatis setelah Redis hidup kembali / "
    "Redis cannot be reached: stored, and the sweep publishes it as soon as Redis is back"
)


class UnknownChannel(IkmError):
    """There is no such channel."""


class ClosedChannel(IkmError):
    """The channel is closed."""


class UnknownKey(IkmError):
    """There is no such key."""


def apply_source(
    settings: Settings, source: str, *, prune: bool = False, dry_run: bool = False
) -> list[Change]:
    """Apply the text of a registry file and publish the result; return the difference.

    Raises RegistryError with every reason why it cannot be applied.
    """
    document = parse(source)
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            changes = stored_registry.apply(
                connection, document, utc_now(), prune=prune, dry_run=dry_run
            )
        if not dry_run:
            _publish(settings, engine)
    return changes


def create_key(settings: Settings, channel: str, label: str | None = None) -> tuple[str, str]:
    """Make a key for a channel and publish it; return its id, and the key: it cannot be shown again."""
    now = utc_now()
    key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    stored = StoredKey(
        secrets.token_hex(_ID_BYTES), channel, label, created_at=now, revoked_at=None
    )
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            stored_registry.lock(connection)
            _demand_open(stored_registry.load(connection), channel, now)
            channel_keys.store(connection, key, stored)
            stored_registry.raise_version(connection, now)
        _publish(settings, engine)
    return stored.id, key


def revoke_key(settings: Settings, key_id: str) -> bool:
    """Revoke a key and publish that; False when it had been revoked before."""
    now = utc_now()
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            stored_registry.lock(connection)
            revoked = channel_keys.revoke(connection, key_id, now)
            if revoked:
                stored_registry.raise_version(connection, now)
            elif all(known.id != key_id for known in channel_keys.list_keys(connection)):
                raise UnknownKey(f"{key_id}; `ikm key list` shows them")
        _publish(settings, engine)
    return revoked


def list_keys(settings: Settings) -> list[StoredKey]:
    """All keys, revoked ones too; the keys themselves are known to nobody here."""
    with opened(settings.need_database()) as engine, transaction(engine) as connection:
        return channel_keys.list_keys(connection)


def _publish(settings: Settings, engine: Engine) -> None:
    """Tell every process, whether or not something changed: an earlier publication may have failed."""
    with transaction(engine) as connection:
        registry = stored_registry.load(connection)
    if not settings.redis_url:
        click.echo(_NOT_PUBLISHED, err=True)
        return
    try:
        with worker_redis(settings.redis_url, timeout_s=_PUBLISH_TIMEOUT_S) as redis:
            publish(redis, settings.redis_prefix, registry)
    except RedisError:
        click.echo(_NOT_PUBLISHED, err=True)


def _demand_open(registry: Registry, name: str, now: datetime) -> None:
    channel = registry.channels.get(name)
    if channel is None:
        raise UnknownChannel(
            f"{name}; known: {', '.join(registry.channels) or 'none (run `ikm apply FILE` first)'}"
        )
    if channel.valid_to is not None and channel.valid_to < local_day(now, registry.instansi.zone):
        raise ClosedChannel(f"{name}, since {channel.valid_to}")

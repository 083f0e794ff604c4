"""The registry on its way from PostgreSQL to every process, after each change."""

import click
from redis.exceptions import RedisError
from sqlalchemy import Engine

from shared.connections import worker_redis
from shared.registry.publication import publish
from shared.settings import Settings
from shared.storage.engine import transaction
from shared.storage.registry import stored_registry

_TIMEOUT_S = 3.0
_NOT_PUBLISHED = (
    "Redis tidak dapat dihubungi; akan diterbitkan otomatis setelah Redis hidup kembali / "
    "Redis cannot be reached: stored, and the sweep publishes it as soon as Redis is back"
)


def publish_stored(settings: Settings, engine: Engine) -> None:
    """Tell every process, changed or not: an earlier publication may have failed."""
    with transaction(engine) as connection:
        registry = stored_registry.load_with_secret(connection)
    if not settings.redis_url:
        click.echo(_NOT_PUBLISHED, err=True)
        return
    try:
        with worker_redis(settings.redis_url, timeout_s=_TIMEOUT_S) as redis:
            publish(redis, settings.redis_prefix, registry)
    except RedisError:
        click.echo(_NOT_PUBLISHED, err=True)

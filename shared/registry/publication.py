"""The registry on its way from PostgreSQL to every ingest process: its snapshot in Redis."""

from typing import Final, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from shared.registry.snapshot import Registry

# Stores the snapshot unless a newer one is there; a lost snapshot beside its version is stored
# again. One script: no reader sees a version without its snapshot, and two publishers cannot put
# the older one last.
_PUBLISH: Final = """
local have = tonumber(redis.call('GET', KEYS[1]) or '-1')
local new = tonumber(ARGV[1])
if have > new or (have == new and redis.call('EXISTS', KEYS[2]) == 1) then return 0 end
redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], ARGV[2])
return 1
"""


def publish(redis: Redis, prefix: str, registry: Registry) -> bool:
    """Store the snapshot in Redis; return False when one as new or newer is there already."""
    keys = [version_key(prefix), snapshot_key(prefix)]
    stored = redis.eval(_PUBLISH, len(keys), *keys, str(registry.version), registry.encode())
    return cast("int", stored) == 1


async def fetch(redis: AsyncRedis, prefix: str, newer_than: int) -> Registry | None:
    """Return the snapshot in Redis when it is newer than that version, else None.

    The version is a small key of its own, so that looking costs nothing.
    """
    version = await redis.get(version_key(prefix))
    if version is None or int(version) <= newer_than:
        return None
    snapshot = await redis.get(snapshot_key(prefix))
    return Registry.decode(snapshot) if snapshot is not None else None


def snapshot_key(prefix: str) -> str:
    """Return the Redis key of the snapshot."""
    return f"{prefix}registry"


def version_key(prefix: str) -> str:
    """Return the Redis key of the snapshot's version."""
    return f"{prefix}registry:version"

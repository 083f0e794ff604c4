"""The channel keys in PostgreSQL: only their SHA-256, and when they were made and revoked."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.storage import tables


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is stored of a key; the key itself is not."""

    id: str
    channel: str
    label: str | None
    created_at: datetime
    revoked_at: datetime | None


def key_hash(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal.

    A key is 256 random bits, so a plain hash tells nothing about it.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def store(connection: sa.Connection, key: str, stored: StoredKey) -> None:
    """Store a new key."""
    connection.execute(
        sa.insert(tables.channel_key).values(
            id=stored.id,
            channel=stored.channel,
            hash=key_hash(key),
            label=stored.label,
            created_at=stored.created_at,
            revoked_at=stored.revoked_at,
        )
    )


def list_keys(connection: sa.Connection) -> list[StoredKey]:
    """Return all keys, revoked ones too, by channel and age."""
    key = tables.channel_key
    rows = connection.execute(
        sa.select(
            key.c.id, key.c.channel, key.c.label, key.c.created_at, key.c.revoked_at
        ).order_by(key.c.channel, key.c.created_at, key.c.id)
    )
    return [StoredKey(*row) for row in rows]


def revoke(connection: sa.Connection, key_id: str, now: datetime) -> bool:
    """Revoke a key for good; False when it was revoked before, or there is none."""
    key = tables.channel_key
    active = (key.c.id == key_id) & key.c.revoked_at.is_(None)
    return connection.execute(sa.update(key).where(active).values(revoked_at=now)).rowcount > 0

"""The access keys in PostgreSQL: only their SHA-256, what they may do, when made and revoked."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.storage.tables import access_key


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is stored of a key; the key itself is not.

    `name` is that of the channel, or of a reader that is none; `opd` is the scope of reading, None:
    all of them.
    """

    id: str
    name: str
    channel: str | None
    may_submit: bool
    may_read: bool
    opd: list[str] | None
    label: str | None
    created_at: datetime
    revoked_at: datetime | None = None


def key_hash(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal.

    A key is 256 random bits, so a plain hash tells nothing about it.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def store(connection: sa.Connection, key: str, stored: StoredKey) -> None:
    """Store a new key."""
    columns = {name: getattr(stored, name) for name in StoredKey.__slots__}
    connection.execute(sa.insert(access_key).values(hash=key_hash(key), **columns))


def list_keys(connection: sa.Connection) -> list[StoredKey]:
    """Return all keys, revoked ones too, by name and age."""
    query = sa.select(*access_key.c[StoredKey.__slots__]).order_by(
        access_key.c.name, access_key.c.created_at, access_key.c.id
    )
    return [StoredKey(*row) for row in connection.execute(query)]


def revoke(connection: sa.Connection, key_id: str, now: datetime) -> bool:
    """Revoke a key for good; False when it was revoked before, or there is none."""
    active = (access_key.c.id == key_id) & access_key.c.revoked_at.is_(None)
    return (
        connection.execute(sa.update(access_key).where(active).values(revoked_at=now)).rowcount > 0
    )

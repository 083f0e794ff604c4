"""The secrets of channels in PostgreSQL, as they are: a signature is checked with them."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shared.storage.tables import channel_secret


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """That a channel has a secret of this name; the secret itself is shown to nobody."""

    channel: str
    name: str
    set_at: datetime


def store(connection: sa.Connection, stored: StoredSecret, secret: str) -> None:
    """Store a secret, in the place of an earlier one of its name."""
    values = {"secret": secret, "set_at": stored.set_at}
    statement = insert(channel_secret).values(channel=stored.channel, name=stored.name, **values)
    connection.execute(
        statement.on_conflict_do_update(constraint=channel_secret.primary_key, set_=values)
    )


def remove(connection: sa.Connection, channel: str, name: str) -> bool:
    """Remove a secret; False when there is none."""
    chosen = (channel_secret.c.channel == channel) & (channel_secret.c.name == name)
    return connection.execute(sa.delete(channel_secret).where(chosen)).rowcount > 0


def list_secrets(connection: sa.Connection) -> list[StoredSecret]:
    """Return which secrets there are, by channel and name."""
    columns = channel_secret.c
    query = sa.select(columns.channel, columns.name, columns.set_at)
    rows = connection.execute(query.order_by(columns.channel, columns.name))
    return [StoredSecret(*row) for row in rows]


def read(connection: sa.Connection) -> dict[str, dict[str, str]]:
    """Return the secrets by channel and name."""
    columns = channel_secret.c
    secrets: dict[str, dict[str, str]] = {}
    for channel, name, secret in connection.execute(
        sa.select(columns.channel, columns.name, columns.secret)
    ):
        secrets.setdefault(channel, {})[name] = secret
    return secrets

"""Keys put into the tables directly, as `ikm key create` would have."""

from collections.abc import Sequence
from datetime import datetime

from shared.storage.registry.access_keys import StoredKey


def stored_key(
    key_id: str,
    name: str,
    now: datetime,
    *,
    submits: bool = True,
    reads: bool = False,
    opd: Sequence[str] | None = None,
) -> StoredKey:
    """What is stored of a key: that of a channel, unless it does not submit."""
    return StoredKey(
        id=key_id,
        name=name,
        channel=name if submits else None,
        may_submit=submits,
        may_read=reads,
        opd=None if opd is None else list(opd),
        label=None,
        created_at=now,
    )

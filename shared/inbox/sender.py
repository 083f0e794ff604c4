"""The side of whoever has many submissions at once, and time: appends, one after the other."""

import uuid
from collections.abc import Sequence
from typing import Any

from redis import Redis

from shared.inbox import entry
from shared.inbox.entry import Parcel
from shared.inbox.keys import Keys
from shared.inbox.writer import APPEND, running_totals


class Sender:
    """Appends what is imported, as ingest appends what is posted (shared/inbox/writer.py)."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)

    def append(self, parcel: Parcel) -> int:
        """Append a parcel as one entry; return how many submissions wait now.

        Returns after Redis has answered, which under `appendfsync always` is after the entry is on
        disk. Raises redis.RedisError when that cannot be said; the entry may then be there or not.
        """
        count = len(parcel.ids)
        fields = entry.fields(uuid.uuid4(), [parcel], count)
        values = (part for field in fields.items() for part in field)
        answer: Any = self._redis.eval(
            APPEND, 2, self._keys.stream, self._keys.state, str(count), *values
        )
        accepted, settled = running_totals(answer)
        return accepted - settled

    def waiting(self) -> int:
        """Return how many submissions wait."""
        totals: Sequence[Any] = self._redis.hmget(self._keys.state, ["accepted", "settled"])
        accepted, settled = (int(total or 0) for total in totals)
        return accepted - settled

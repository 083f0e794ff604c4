"""The side of ingest: appends what arrived as one entry of the stream."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import ResponseError

from shared.inbox import entry
from shared.inbox.entry import Parcel
from shared.inbox.keys import Keys
from shared.link import Link

# One command and one answer for an append: the entry and the totals that belong to it, together or
# not at all.
APPEND = """
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
return {redis.call('HINCRBY', KEYS[2], 'accepted', ARGV[1]), redis.call('HGET', KEYS[2], 'settled')}
"""


AppendAnswer = Sequence[Any]  # of APPEND


def running_totals(answer: AppendAnswer) -> tuple[int, int]:
    """Return the running totals (accepted, settled) that an append was answered with."""
    accepted, settled = answer
    return int(accepted), int(settled or 0)


class Writer:
    """The side of ingest: appends. One writer may be used by one task at a time."""

    def __init__(self, redis: AsyncRedis, prefix: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)
        self._head = ("EVAL", APPEND, "2", self._keys.stream, self._keys.state)
        self._link: Link | None = None
        self._opening: asyncio.Future[AppendAnswer] | None = None

    async def append(self, parcels: Sequence[Parcel], count: int) -> tuple[int, int]:
        """Append `parcels` (`count` submissions) as one entry; return (accepted, settled) so far.

        Returns after Redis has answered, which under `appendfsync always` is after the entry is on
        disk. Raises redis.RedisError or OSError when that cannot be said; the entry may then be
        there or not.
        """
        try:
            return running_totals(await self.start(parcels, count))
        except ResponseError:  # an answer: the connection is in order
            raise
        except BaseException:
            # Also when a time-out cancels: a late answer must not meet the next append.
            self.drop()
            raise

    def start(self, parcels: Sequence[Parcel], count: int) -> "asyncio.Future[AppendAnswer]":
        """Begin an append, on an open connection at once.

        `running_totals` reads the answer; the future may also raise what `append` raises. Who gives
        up waiting must `drop` the connection.
        """
        fields = entry.fields(uuid.uuid4(), parcels, count)
        command = (*self._head, count, *(part for field in fields.items() for part in field))
        if self._link is not None and self._link.is_open:
            return self._link.send(*command)
        self._opening = asyncio.ensure_future(self._opened(command))
        return self._opening

    async def _opened(self, command: Sequence[str | bytes | int]) -> AppendAnswer:
        self._link = await Link.open(self._redis)
        answer: AppendAnswer = await self._link.call(*command)
        return answer

    def drop(self) -> None:
        """Close the connection; an append that is under way fails."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._link is not None:
            self._link.close()
            self._link = None

    async def close(self) -> None:
        """Close the connection."""
        self.drop()

    async def totals(self) -> tuple[int, int]:
        """Return the running totals (accepted, settled)."""
        accepted, settled = await self._redis.hmget(self._keys.state, ["accepted", "settled"])
        return int(accepted or 0), int(settled or 0)

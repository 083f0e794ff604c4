"""The inbox: a Redis stream between ingest and counting. The only code that knows the stream.

    append (ingest, async)  ──►  stream, consumer group "count"  ──►  claim · take over · settle (workers)

One stream entry holds what arrived while the previous append was under way (group commit): parcels as columns, a parcel
being the submissions of one request. Beside the stream a hash counts, in the same transaction, what was accepted and
what was settled; its epoch tells one life of the inbox from the next (a Redis that was replaced starts a new one).
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import ResponseError

from shared import inbox_entry
from shared.inbox_entry import Entry, Parcel, entry_of, position
from shared.link import Link

__all__ = ["GROUP", "Depth", "Entry", "Keys", "Parcel", "Reader", "Writer"]

GROUP = "count"
CLAIM_ENTRIES = 64  # read at once, at most


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the inbox is. `waiting` = accepted - settled submissions; ages in seconds."""

    accepted: int
    settled: int
    entries: int
    oldest_age: float

    @property
    def waiting(self) -> int:
        """Submissions that are accepted and not settled."""
        return self.accepted - self.settled


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the inbox's keys."""

    stream: str
    state: str

    @classmethod
    def of(cls, prefix: str) -> "Keys":
        """The keys under `prefix`."""
        return cls(stream=f"{prefix}inbox", state=f"{prefix}inbox:state")


# One command and one answer for an append: the entry and the totals that belong to it, together or not at all.
_APPEND = """
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
return {redis.call('HINCRBY', KEYS[2], 'accepted', ARGV[1]), redis.call('HGET', KEYS[2], 'settled')}
"""


Appended = Sequence[Any]  # of _APPEND


def totals_of(answer: Appended) -> tuple[int, int]:
    """The running totals (accepted, settled) that an append was answered with."""
    accepted, settled = answer
    return int(accepted), int(settled or 0)


class Writer:
    """The side of ingest: appends. One writer may be used by one task at a time."""

    def __init__(self, redis: AsyncRedis, prefix: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)
        self._head = ("EVAL", _APPEND, "2", self._keys.stream, self._keys.state)
        self._link: Link | None = None
        self._opening: asyncio.Future[Appended] | None = None

    async def append(self, parcels: Sequence[Parcel], count: int) -> tuple[int, int]:
        """Append `parcels` (`count` submissions) as one entry; the running totals (accepted, settled).

        Returns after Redis has answered, which under `appendfsync always` is after the entry is on disk.
        Raises redis.RedisError or OSError when that cannot be said; the entry may then be there or not.
        """
        try:
            return totals_of(await self.start(parcels, count))
        except ResponseError:  # an answer: the connection is in order
            raise
        except BaseException:  # also when a time-out cancels: a late answer must not meet the next append
            self.drop()
            raise

    def start(self, parcels: Sequence[Parcel], count: int) -> "asyncio.Future[Appended]":
        """Begin an append, on an open connection at once; `totals_of` its answer, or what `append` raises.

        Who gives up waiting must `drop` the connection.
        """
        fields = inbox_entry.fields(uuid.uuid4(), parcels, count)
        command = (*self._head, count, *(part for field in fields.items() for part in field))
        if self._link is not None and self._link.is_open:
            return self._link.send(*command)
        self._opening = asyncio.ensure_future(self._opened(command))
        return self._opening

    async def _opened(self, command: Sequence[str | bytes | int]) -> Appended:
        self._link = await Link.open(self._redis)
        answer: Appended = await self._link.call(*command)
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
        """The running totals (accepted, settled)."""
        accepted, settled = await self._redis.hmget(self._keys.state, ["accepted", "settled"])
        return int(accepted or 0), int(settled or 0)


class Reader:
    """The side of the workers: claims, takes over, settles."""

    def __init__(self, redis: Redis, prefix: str, consumer: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)
        self._consumer = consumer

    def prepare(self) -> None:
        """Create the consumer group and the epoch where they are missing (also after Redis was emptied)."""
        try:
            self._redis.xgroup_create(self._keys.stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._redis.hsetnx(self._keys.state, "epoch", uuid.uuid4().hex)

    def epoch(self) -> uuid.UUID:
        """Which life of the inbox this is."""
        found: Any = self._redis.hget(self._keys.state, "epoch")
        if found is None:
            self.prepare()
            found = self._redis.hget(self._keys.state, "epoch")
        return uuid.UUID(found.decode())

    def claim(self, submissions: int, wait_ms: int | None = None) -> list[Entry]:
        """New entries until about `submissions` are in hand or none is left; waits up to `wait_ms` for the first."""
        waits = iter([wait_ms])

        def more(count: int) -> list[Entry]:
            return [entry_of(*item) for item in self._read(b">", count, next(waits, None))]

        return _gather(submissions, more)

    def leftovers(self, submissions: int) -> list[Entry]:
        """What this consumer claimed earlier and did not settle, because counting failed: about so many submissions."""
        after = b"0"

        def more(count: int) -> list[Entry]:
            nonlocal after
            items = self._read(after, count)
            after = items[-1][0] if items else after
            gone = [stream_id for stream_id, fields in items if not fields]
            if gone:  # somebody deleted them: claims on nothing
                self._redis.xack(self._keys.stream, GROUP, *gone)
            return [entry_of(*item) for item in items if item[1]]

        return _gather(submissions, more)

    def take_over(self, idle: float, submissions: int) -> list[Entry]:
        """Entries that some consumer claimed and has not settled for `idle` seconds: about so many submissions."""
        milliseconds = int(idle * 1000)
        after = b"-"

        def more(count: int) -> list[Entry]:
            nonlocal after
            found: Any = self._redis.xpending_range(self._keys.stream, GROUP, after, "+", count, idle=milliseconds)
            ids = [pending["message_id"] for pending in found]
            after = b"(" + ids[-1] if ids else after
            claimed: Any = ids and self._redis.xclaim(self._keys.stream, GROUP, self._consumer, milliseconds, ids)
            # Redis 6.2 lists entries that were deleted meanwhile as nil.
            return [entry_of(stream_id, fields) for stream_id, fields in claimed if fields]

        return _gather(submissions, more)

    def _read(self, after: bytes, count: int, block: int | None = None) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found = self._redis.xreadgroup(GROUP, self._consumer, {self._keys.stream: after}, count=count, block=block)
        return [item for _, items in _pairs(found) for item in items]

    def settle(self, entries: Iterable[Entry]) -> None:
        """Acknowledge and delete; a repetition changes nothing: the total grows only by what is really deleted."""
        entries = list(entries)
        if not entries:
            return
        self._redis.eval(  # one step: a crash must not separate the deletion from its total
            _SETTLE,
            2,
            self._keys.stream,
            self._keys.state,
            GROUP,
            *(part for e in entries for part in (e.stream_id, e.accepted, 0 if e.parcels is not None else e.accepted)),
        )

    def depth(self) -> Depth:
        """How full the inbox is now."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hmget(self._keys.state, ["accepted", "settled"])
        pipe.xlen(self._keys.stream)
        pipe.xrange(self._keys.stream, count=1)
        (accepted, settled), entries, oldest = pipe.execute()
        age = time.time() - position(oldest[0][0])[0] / 1000 if oldest else 0.0
        return Depth(int(accepted or 0), int(settled or 0), entries, max(0.0, age))

    def unclaimed(self) -> bool:
        """Whether there is an entry that no consumer has been given."""
        groups = self._redis.xinfo_groups(self._keys.stream)
        delivered = next((group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()), b"0-0")
        return bool(self._redis.xrange(self._keys.stream, min=b"(" + delivered, count=1))

    def horizon(self) -> tuple[int, int]:
        """The stream position before which everything is settled."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xinfo_stream(self._keys.stream)
        pipe.xrange(self._keys.stream, count=1)
        stream, oldest = pipe.execute()
        if oldest:
            return position(oldest[0][0])
        milliseconds, sequence = position(stream["last-generated-id"])
        return milliseconds, sequence + 1

    def retire(self, idle: float) -> None:
        """Forget consumers that have nothing pending and were not seen for `idle` seconds."""
        self._redis.eval(_RETIRE, 1, self._keys.stream, GROUP, int(idle * 1000))


# XDEL says how many entries were really there: only those count. Foreign entries become accepted here.
_SETTLE = """
local settled, foreign = 0, 0
for i = 2, #ARGV, 3 do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    settled = settled + tonumber(ARGV[i + 1])
    foreign = foreign + tonumber(ARGV[i + 2])
  end
end
if foreign > 0 then
  redis.call('HINCRBY', KEYS[2], 'accepted', foreign)
  redis.call('HINCRBY', KEYS[2], 'foreign', foreign)
end
return redis.call('HINCRBY', KEYS[2], 'settled', settled)
"""


# One step: what a consumer claims between the look and the deletion would belong to nobody, for ever.
_RETIRE = """
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local seen = {}
  for i = 1, #consumer, 2 do seen[consumer[i]] = consumer[i + 1] end
  if seen.pending == 0 and seen.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], seen.name)
  end
end
"""


def _gather(submissions: int, more: Callable[[int], list[Entry]]) -> list[Entry]:
    """Entries of about so many submissions, from a source that gives up to so many entries at a time.

    The first one is read alone and tells how many to ask for: one entry may hold a single submission, or 20,000.
    """
    entries: list[Entry] = []
    held, count = 0, 1
    while held < submissions and (got := more(count)):
        entries += got
        held += sum(entry.accepted for entry in got)
        count = max(1, min(CLAIM_ENTRIES, (submissions - held) * len(entries) // held))
    return entries


def _pairs(found: Any) -> Iterable[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:  # noqa: ANN401 (untyped answer)
    """RESP2 answers a list of pairs, RESP3 a mapping of lists of lists."""
    if isinstance(found, dict):
        return ((name, [item for part in parts for item in part]) for name, parts in found.items())
    return found or ()

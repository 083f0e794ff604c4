"""The inbox: a Redis stream between ingest and counting. The only code that knows the stream.

    append (ingest, async)  ──►  stream, consumer group "count"  ──►  claim · take over · settle (workers)

One stream entry holds what arrived while the previous append was under way (group commit): a list of parcels, a parcel
being the submissions of one request. Beside the stream a hash counts, in the same transaction, what was accepted and
what was settled; its epoch tells one life of the inbox from the next (a Redis that was replaced starts a new one).
"""

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import ResponseError

GROUP = "count"
CLAIM_ENTRIES = 16  # read at once; an entry may hold a batch of 10,000 submissions


class Parcel(msgspec.Struct, array_like=True, frozen=True):
    """The submissions of one request, column by column. `receipts` holds 16 bytes each; bodies are JSON as sent."""

    channel: str
    received_us: int  # microseconds since 1970
    receipts: bytes
    ids: list[str]
    bodies: list[bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """One claimed entry of the stream.

    `parcels` is None when the entry is not of this product's making: `raw` is what it holds, and it counts as one
    submission, accepted at the moment at which it is settled.
    """

    stream_id: bytes
    entry: uuid.UUID
    accepted: int
    parcels: Sequence[Parcel] | None
    raw: bytes

    @property
    def position(self) -> tuple[int, int]:
        """The stream id as (milliseconds, sequence)."""
        return _position(self.stream_id)


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


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Parcel])


class Writer:
    """The side of ingest: appends. One writer may be used by one task at a time."""

    def __init__(self, redis: AsyncRedis, prefix: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)

    async def append(self, parcels: Sequence[Parcel], count: int) -> tuple[int, int]:
        """Append `parcels` (`count` submissions) as one entry; the running totals (accepted, settled).

        Returns after Redis has answered, which under `appendfsync always` is after the entry is on disk.
        Raises redis.RedisError when that cannot be said; the entry may then be there or not.
        """
        fields: dict[Any, Any] = {"e": uuid.uuid4().bytes, "n": count, "p": _ENCODER.encode(parcels)}
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._keys.stream, fields)
            pipe.hincrby(self._keys.state, "accepted", count)
            pipe.hget(self._keys.state, "settled")
            _, accepted, settled = await pipe.execute()
        return int(accepted), int(settled or 0)

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
        entries: list[Entry] = []
        held = 0
        while held < submissions:
            block = wait_ms if not entries else None
            found = self._redis.xreadgroup(
                GROUP, self._consumer, {self._keys.stream: ">"}, count=CLAIM_ENTRIES, block=block
            )
            got = [_entry(*item) for _, items in _pairs(found) for item in items]
            if not got:
                break
            entries += got
            held += sum(entry.accepted for entry in got)
        return entries

    def leftovers(self) -> list[Entry]:
        """What this consumer claimed earlier and did not settle, because counting failed."""
        found = self._redis.xreadgroup(GROUP, self._consumer, {self._keys.stream: "0"}, count=CLAIM_ENTRIES)
        return [_entry(*item) for _, items in _pairs(found) for item in items if item[1]]

    def take_over(self, idle: float) -> list[Entry]:
        """Entries that some consumer claimed and has not settled for `idle` seconds."""
        answer: Any = self._redis.xautoclaim(
            self._keys.stream,
            GROUP,
            self._consumer,
            min_idle_time=int(idle * 1000),
            start_id="0-0",
            count=CLAIM_ENTRIES,
        )
        # Redis 6.2 lists entries that were deleted meanwhile as nil.
        return [_entry(stream_id, fields) for stream_id, fields in answer[1] if stream_id is not None and fields]

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
        age = time.time() - _position(oldest[0][0])[0] / 1000 if oldest else 0.0
        return Depth(int(accepted or 0), int(settled or 0), entries, max(0.0, age))

    def unclaimed(self) -> bool:
        """Whether there is an entry that no consumer has been given."""
        groups = self._redis.xinfo_groups(self._keys.stream)
        delivered = next(group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode())
        return bool(self._redis.xrange(self._keys.stream, min=b"(" + delivered, count=1))

    def horizon(self) -> tuple[int, int]:
        """The stream position before which everything is settled."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xinfo_stream(self._keys.stream)
        pipe.xrange(self._keys.stream, count=1)
        stream, oldest = pipe.execute()
        if oldest:
            return _position(oldest[0][0])
        milliseconds, sequence = _position(stream["last-generated-id"])
        return milliseconds, sequence + 1

    def waiting(self) -> tuple[Depth, dict[uuid.UUID, int]]:
        """For `verify`: the depth, and every entry in the stream with its submissions, at one instant."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hmget(self._keys.state, ["accepted", "settled"])
        pipe.xrange(self._keys.stream)
        (accepted, settled), items = pipe.execute()
        entries = {entry.entry: entry.accepted for entry in (_entry(*item) for item in items)}
        return Depth(int(accepted or 0), int(settled or 0), len(entries), 0.0), entries

    def retire(self, idle: float) -> None:
        """Forget consumers that have nothing pending and were not seen for `idle` seconds."""
        for consumer in self._redis.xinfo_consumers(self._keys.stream, GROUP):
            if consumer["pending"] == 0 and consumer["idle"] > idle * 1000:
                self._redis.xgroup_delconsumer(self._keys.stream, GROUP, consumer["name"])


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
if foreign > 0 then redis.call('HINCRBY', KEYS[2], 'accepted', foreign) end
return redis.call('HINCRBY', KEYS[2], 'settled', settled)
"""


def _position(stream_id: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = stream_id.partition(b"-")
    return int(milliseconds), int(sequence)


def _entry(stream_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    raw = fields.get(b"p", b"")
    try:
        parcels = _DECODER.decode(raw)
        entry = uuid.UUID(bytes=fields[b"e"])
        accepted = int(fields[b"n"])
    except (ValueError, KeyError):
        # Not written by this product: keep what is there, under an identity that a redelivery finds again.
        identity = uuid.uuid5(uuid.NAMESPACE_OID, stream_id.decode())
        return Entry(stream_id, identity, 1, None, repr(fields).encode())
    return Entry(stream_id, entry, accepted, parcels, raw)


def _pairs(found: Any) -> Iterable[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:  # noqa: ANN401
    """RESP2 answers a list of pairs, RESP3 a mapping of lists of lists."""
    if isinstance(found, dict):
        return ((name, [item for part in parts for item in part]) for name, parts in found.items())
    return found or ()

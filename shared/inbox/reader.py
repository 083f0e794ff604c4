"""The side of the workers: they claim entries, take over those of dead ones, and settle."""

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from shared.inbox.entry import Entry, entry_of, position
from shared.inbox.keys import GROUP, Depth, Keys

CLAIM_ENTRIES = 64  # read at once, at most
Item = tuple[bytes, dict[bytes, bytes]]  # a stream id and the fields of the entry


class Reader:
    """One consumer of the stream: it claims entries, takes over those of others, and settles."""

    def __init__(self, redis: Redis, prefix: str, consumer: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)
        self._consumer = consumer

    def prepare(self) -> None:
        """Create the consumer group and the epoch where they are missing, as in a new Redis."""
        try:
            self._redis.xgroup_create(self._keys.stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._redis.hsetnx(self._keys.state, "epoch", uuid.uuid4().hex)

    def epoch(self) -> uuid.UUID:
        """Return which life of the inbox this is."""
        epoch: Any = self._redis.hget(self._keys.state, "epoch")
        if epoch is None:
            self.prepare()
            epoch = self._redis.hget(self._keys.state, "epoch")
        return uuid.UUID(epoch.decode())

    def claim(self, submissions: int, wait_ms: int | None = None) -> list[Entry]:
        """Claim new entries until about `submissions` are in hand or none is left.

        Waits up to `wait_ms` for the first one.
        """
        waits = iter([wait_ms])

        def more(count: int) -> list[Entry]:
            return [entry_of(*item) for item in self._read(b">", count, next(waits, None))]

        return _gather(submissions, more)

    def leftovers(self, submissions: int) -> list[Entry]:
        """Read again what this consumer claimed and did not settle, because counting failed.

        About `submissions` are read.
        """
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

    def take_over(self, idle_s: float, submissions: int) -> list[Entry]:
        """Claim entries that some consumer claimed and has not settled for `idle_s`.

        About `submissions` are claimed.
        """
        idle_ms = int(idle_s * 1000)
        after = b"-"

        def more(count: int) -> list[Entry]:
            nonlocal after
            unsettled: Any = self._redis.xpending_range(
                self._keys.stream, GROUP, after, "+", count, idle=idle_ms
            )
            ids = [pending["message_id"] for pending in unsettled]
            after = b"(" + ids[-1] if ids else after
            claimed: Any = ids and self._redis.xclaim(
                self._keys.stream, GROUP, self._consumer, idle_ms, ids
            )
            # Redis 6.2 lists entries that were deleted meanwhile as nil.
            return [entry_of(stream_id, fields) for stream_id, fields in claimed if fields]

        return _gather(submissions, more)

    def _read(self, after: bytes, count: int, block: int | None = None) -> list[Item]:
        answer = self._redis.xreadgroup(
            GROUP, self._consumer, {self._keys.stream: after}, count=count, block=block
        )
        return [item for _, items in _streams(answer) for item in items]

    def settle(self, entries: Iterable[Entry]) -> None:
        """Acknowledge and delete the entries.

        A repetition changes nothing: the total grows only by what is really deleted.
        """
        arguments: list[bytes | int] = []
        for entry in entries:
            foreign = entry.accepted if entry.parcels is None else 0
            arguments += (entry.stream_id, entry.accepted, foreign)
        if arguments:
            # One step: a crash must not separate the deletion from its total.
            keys = (self._keys.stream, self._keys.state)
            self._redis.eval(_SETTLE, len(keys), *keys, GROUP, *arguments)

    def depth(self) -> Depth:
        """Return how full the inbox is now."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hmget(self._keys.state, ["accepted", "settled"])
        pipe.xlen(self._keys.stream)
        pipe.xrange(self._keys.stream, count=1)
        (accepted, settled), entries, oldest = pipe.execute()
        age_s = time.time() - position(oldest[0][0])[0] / 1000 if oldest else 0.0
        return Depth(int(accepted or 0), int(settled or 0), entries, max(0.0, age_s))

    def unclaimed(self) -> bool:
        """Whether there is an entry that no consumer has been given."""
        groups = self._redis.xinfo_groups(self._keys.stream)
        delivered = next(
            (group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()),
            b"0-0",
        )
        return bool(self._redis.xrange(self._keys.stream, min=b"(" + delivered, count=1))

    def horizon(self) -> tuple[int, int]:
        """Return the stream position before which everything is settled."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xinfo_stream(self._keys.stream)
        pipe.xrange(self._keys.stream, count=1)
        stream, oldest = pipe.execute()
        if oldest:
            return position(oldest[0][0])
        milliseconds, sequence = position(stream["last-generated-id"])
        return milliseconds, sequence + 1

    def retire(self, idle_s: float) -> None:
        """Forget consumers that have nothing pending and were not seen for `idle_s`."""
        self._redis.eval(_RETIRE, 1, self._keys.stream, GROUP, int(idle_s * 1000))


# XDEL says which entries were really there: only they count. Foreign ones become accepted by it.
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


# One step: what a consumer claims between the look and the deletion would belong to nobody.
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
    """Return entries of about `submissions`, from a source that is told how many entries to give.

    The first one is read alone and tells how many to ask for: one entry may hold a single
    submission, or 20,000.
    """
    entries: list[Entry] = []
    held, count = 0, 1
    while held < submissions and (given := more(count)):
        entries += given
        held += sum(entry.accepted for entry in given)
        count = max(1, min(CLAIM_ENTRIES, (submissions - held) * len(entries) // held))
    return entries


def _streams(answer: Any) -> Iterable[tuple[bytes, list[Item]]]:  # noqa: ANN401 (untyped answer)
    """Return each stream with its items: RESP2 answers pairs, RESP3 a mapping of lists of lists."""
    if isinstance(answer, dict):
        return ((name, [item for part in parts for item in part]) for name, parts in answer.items())
    return answer or ()

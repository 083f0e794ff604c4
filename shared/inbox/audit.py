"""The inbox as `verify` reads it: its totals at one instant, then what the stream holds.

Nothing is locked. What the totals count as accepted lies at or before their position in the stream,
for ever; so a walk up to that position is comparable with them, although entries are settled
meanwhile.
"""

import uuid
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from shared.inbox.entry import Entry, entry_of, position
from shared.inbox.keys import Keys

PAGE = 8  # entries; one may have 16 MiB
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Totals:
    """The inbox at one instant.

    `epoch` is None when nothing was ever counted from it; `last` is the newest stream position;
    `foreign` is how many of the settled ones this product did not write.
    """

    epoch: uuid.UUID | None
    accepted: int
    settled: int
    foreign: int
    last: tuple[int, int]


@dataclass(slots=True)
class HeldEntries:
    """Entries of the stream and how many submissions each holds, packed: there may be millions.

    `oldest`: the position of the first of them.
    """

    oldest: tuple[int, int] | None = None
    entries: bytearray = field(default_factory=bytearray)
    sizes: "array[int]" = field(default_factory=lambda: array("i"))

    @property
    def submissions(self) -> int:
        """How many submissions all entries hold."""
        return sum(self.sizes)

    def add(self, entry: Entry) -> None:
        """Note an entry and its size; they come in the order of the stream."""
        self.oldest = self.oldest or entry.position
        self.entries += entry.entry.bytes
        self.sizes.append(entry.accepted)

    def chunks(self, size: int = 10_000) -> Iterator[dict[uuid.UUID, int]]:
        """Yield the entries with their sizes, `size` entries at a time."""
        for start in range(0, len(self.sizes), size):
            sizes = self.sizes[start : start + size]
            yield {self._entry(start + offset): held for offset, held in enumerate(sizes)}

    def _entry(self, index: int) -> uuid.UUID:
        return uuid.UUID(bytes=bytes(self.entries[_ID_BYTES * index : _ID_BYTES * (index + 1)]))


class Audit:
    """Reads the inbox under a prefix and changes nothing."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._keys = Keys.of(prefix)

    def totals(self) -> Totals:
        """Return the totals and the newest position, at one instant."""
        answer: Any = self._redis.eval(_TOTALS, 2, self._keys.stream, self._keys.state)
        epoch, accepted, settled, foreign, last = answer
        life = uuid.UUID(epoch.decode()) if epoch else None
        return Totals(life, int(accepted), int(settled), int(foreign), position(last))

    def held(self, last: tuple[int, int]) -> tuple[HeldEntries, HeldEntries]:
        """Return what the stream holds up to a position: entries of this product, and foreign."""
        own, foreign = HeldEntries(), HeldEntries()
        after, until = "-", f"{last[0]}-{last[1]}"
        while page := self._page(after, until):
            for entry in page:
                (own if entry.parcels is not None else foreign).add(entry)
            after = f"({page[-1].stream_id.decode()}"
        return own, foreign

    def _page(self, after: str, until: str) -> list[Entry]:
        items: Any = self._redis.xrange(self._keys.stream, after, until, count=PAGE)
        return [entry_of(*item) for item in items]


# Asked for its information, a stream answers whole entries too: only its position is sent.
_TOTALS = """
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local state = redis.call('HMGET', KEYS[2], 'epoch', 'accepted', 'settled', 'foreign')
return {state[1] or '', state[2] or '0', state[3] or '0', state[4] or '0', last}
"""

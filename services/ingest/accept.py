"""Group commit: what arrives while one append is under way becomes the next append, one disk write for all of it."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from shared.inbox import Parcel, Writer

log = logging.getLogger(__name__)

ENTRY_SUBMISSIONS = 20_000  # one entry is one unit of counting: keep it digestible
ENTRY_BYTES = 16 * 1024 * 1024
MIN_TIMEOUT_S = 0.05
# While requests come faster than appends, the next append waits a moment for company: an append costs as much CPU as
# several requests, whatever it holds. A request that comes alone never waits.
GATHER_S = 0.001
FULL_GROUP = 64


@dataclass(slots=True)
class _Waiting:
    parcel: Parcel
    since: float
    stored: "asyncio.Future[bool]" = field(repr=False)


class GroupCommit:
    """Appends parcels to the inbox, many at a time, in the order of arrival.

    `timeout`: seconds after which a parcel is given up. `on_stored(accepted, settled)` hears the inbox's running
    totals after every append, `on_failure()` that one failed.
    """

    def __init__(
        self,
        writer: Writer,
        timeout: float,
        on_stored: Callable[[int, int], None],
        on_failure: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._timeout = timeout
        self._on_stored = on_stored
        self._on_failure = on_failure
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def store(self, parcel: Parcel) -> bool:
        """True once `parcel` is on disk; False when that cannot be said in time (it may be there or not)."""
        waiting = _Waiting(parcel, self._loop.time(), self._loop.create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = self._loop.create_task(self._run())
        return await waiting.stored

    async def close(self) -> None:
        """Wait until nothing is under way."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            crowded = False
            while self._waiting:
                if crowded and len(self._waiting) < FULL_GROUP:
                    await asyncio.sleep(GATHER_S)
                batch = self._take()
                crowded = len(batch) > 1
                stored = False
                try:
                    stored = await self._append(batch)
                finally:  # also after an error that nobody foresaw: no request may wait for ever
                    self._tell(batch, stored=stored)
        finally:
            self._task = None

    def _tell(self, batch: list[_Waiting], *, stored: bool) -> None:
        if not stored:  # the others waited for the same Redis: a further time-out each would be too late
            batch += self._waiting
            self._waiting = []
        for waiting in batch:
            if not waiting.stored.done():  # the client may have gone
                waiting.stored.set_result(stored)

    def _take(self) -> list[_Waiting]:
        count = size = 0
        for index, waiting in enumerate(self._waiting):
            count += len(waiting.parcel.bodies)
            size += sum(map(len, waiting.parcel.bodies)) if count > 1 else 0
            if index and (count > ENTRY_SUBMISSIONS or size > ENTRY_BYTES):
                batch, self._waiting = self._waiting[:index], self._waiting[index:]
                return batch
        batch, self._waiting = self._waiting, []
        return batch

    async def _append(self, batch: list[_Waiting]) -> bool:
        left = self._timeout - (self._loop.time() - batch[0].since)
        parcels = [waiting.parcel for waiting in batch]
        try:
            async with asyncio.timeout(max(left, MIN_TIMEOUT_S)):
                totals = await self._writer.append(parcels, sum(len(parcel.bodies) for parcel in parcels))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("append failed", extra={"error": f"{type(error).__name__}: {error}", "parcels": len(parcels)})
            self._on_failure()
            return False
        self._on_stored(*totals)
        return True

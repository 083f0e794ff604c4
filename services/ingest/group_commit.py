"""Group commit: what arrives during an append becomes the next one, with one disk write."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from msgspec import Struct
from redis.exceptions import RedisError

from shared.domain.submission.identity import RECEIPT_BYTES, ReceiptMaker
from shared.inbox.entry import Parcel
from shared.inbox.writer import AppendAnswer, Writer, running_totals

log = logging.getLogger(__name__)

ENTRY_SUBMISSIONS = 20_000  # one entry is one unit of counting: keep it digestible
ENTRY_BYTES = 16 * 1024 * 1024
MIN_TIMEOUT_S = 0.05
# While requests come faster than appends, the next append waits a moment for company: an append
# costs as much CPU as several requests, whatever it holds. A request that comes alone never waits.
GATHER_S = 0.001
# so that of 64 busy connections one half is served while the other half's append is under way
FULL_GROUP = 32


class _Waiting(Struct, frozen=True, gc=False):
    """A parcel that waits for its append."""

    parcel: Parcel
    stored: "asyncio.Future[bool]"


class GroupCommit:
    """Appends parcels to the inbox, many at a time, in the order of arrival.

    `timeout_s`: after so long a parcel is given up. `receipt_maker()` makes the receipts,
    `on_stored(accepted, settled)` hears the inbox's running totals after every append,
    `on_failure()` that one failed.
    """

    def __init__(
        self,
        writer: Writer,
        timeout_s: float,
        receipt_maker: Callable[[], ReceiptMaker],
        on_stored: Callable[[int, int], None],
        on_failure: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._timeout_s = timeout_s
        self._receipt_maker = receipt_maker
        self._on_stored = on_stored
        self._on_failure = on_failure
        self._waiting: list[_Waiting] = []
        self._waiting_since_s = 0.0  # by the loop's clock: the first of them
        self._under_way: asyncio.Future[AppendAnswer] | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._is_crowded = False  # whether the last group was more than one
        self._loop = asyncio.get_running_loop()

    def store(self, parcel: Parcel) -> "asyncio.Future[bool]":
        """Return a future: True once `parcel` is on disk, False when that cannot be said in time.

        After a True the parcel has its receipts; after a False it may be there or not.
        """
        stored: asyncio.Future[bool] = self._loop.create_future()
        if not self._waiting:
            self._waiting_since_s = self._loop.time()
        self._waiting.append(_Waiting(parcel, stored))
        if self._under_way is None:
            self._depart_when_full()
        return stored

    async def close(self) -> None:
        """Wait until nothing is under way."""
        while self._waiting or self._under_way is not None:
            if self._under_way is None:
                self._depart()
            else:
                await asyncio.wait([self._under_way])
                await asyncio.sleep(0)

    def _depart_when_full(self) -> None:
        """Append what waits: at once, or when there is company enough, or a moment later."""
        if not self._is_crowded or len(self._waiting) >= FULL_GROUP:
            self._depart()
        elif self._gathering is None:
            self._gathering = self._loop.call_later(GATHER_S, self._depart)

    def _depart(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        parcels = _digestible([waiting.parcel for waiting in self._waiting])
        group, self._waiting = self._waiting[: len(parcels)], self._waiting[len(parcels) :]
        self._is_crowded = len(group) > 1
        left_s = self._timeout_s - (self._loop.time() - self._waiting_since_s)
        answer = self._under_way = self._started(parcels)
        late = self._loop.call_later(max(left_s, MIN_TIMEOUT_S), self._writer.drop)
        answer.add_done_callback(lambda _: self._landed(group, answer, late))

    def _started(self, parcels: Sequence[Parcel]) -> "asyncio.Future[AppendAnswer]":
        try:
            _give_receipts(self._receipt_maker(), parcels)
            return self._writer.start(parcels, sum([len(parcel.bodies) for parcel in parcels]))
        except Exception as error:  # noqa: BLE001 - handed on: the group hears of it, and the log
            failed: asyncio.Future[AppendAnswer] = self._loop.create_future()
            failed.set_exception(error)
            return failed

    def _landed(
        self,
        group: list[_Waiting],
        answer: "asyncio.Future[AppendAnswer]",
        late: asyncio.TimerHandle,
    ) -> None:
        late.cancel()
        self._under_way = None
        is_stored = False
        try:
            is_stored = self._is_stored(answer, len(group))
        finally:  # also after an error that nobody foresaw: no request may wait for ever
            if not is_stored:
                # The others waited for the same Redis: a further time-out each would be too late.
                group += self._waiting
                self._waiting = []
            for waiting in group:
                if not waiting.stored.done():  # the client may have gone
                    waiting.stored.set_result(is_stored)
            if self._waiting:
                self._depart_when_full()

    def _is_stored(self, answer: "asyncio.Future[AppendAnswer]", parcels: int) -> bool:
        try:
            totals = running_totals(answer.result())
        except (RedisError, OSError, TimeoutError, asyncio.CancelledError) as error:
            log.warning(
                "append failed",
                extra={"error": f"{type(error).__name__}: {error}", "parcels": parcels},
            )
            self._on_failure()
            return False
        self._on_stored(*totals)
        return True


def _give_receipts(maker: ReceiptMaker, parcels: Sequence[Parcel]) -> None:
    """Work out the receipts of a group, one after the other.

    So they take 3 us of CPU each; 9 where each request works out its own, because the code of the
    hash has left the core's cache by then.
    """
    receipts = maker.all_receipts([(parcel.channel, parcel.ids) for parcel in parcels])
    start = 0
    for parcel in parcels:
        end = start + RECEIPT_BYTES * len(parcel.ids)
        parcel.receipts, start = receipts[start:end], end


def _digestible(parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    """Return as many of the parcels as one entry may hold: nearly always all."""
    submissions = size_bytes = 0
    for position, parcel in enumerate(parcels):
        submissions += len(parcel.bodies)
        size_bytes += sum(map(len, parcel.bodies))
        if position and (submissions > ENTRY_SUBMISSIONS or size_bytes > ENTRY_BYTES):
            return parcels[:position]
    return parcels

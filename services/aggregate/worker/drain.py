"""Empties the inbox: claim, count, settle, until nothing comes any more or the time slice is over."""

import gc
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Self

import numpy as np

from services.aggregate.counting.batch import Batch, judged
from services.aggregate.counting.count import Counted, count
from services.aggregate.counting.decode import digest
from services.aggregate.counting.judge import UNCOUNTABLE, Judge, Judgement
from services.aggregate.counting.recovery import ATTEMPTS, Collision, Unavailable, Uncountable
from services.aggregate.worker.context import WorkerContext
from shared.broker import DRAIN, REFRESH
from shared.clock import Clock
from shared.hinting import HINT_TTL_MS, drain_flag, help_flag, refresh_flag
from shared.inbox.entry import Entry

log = logging.getLogger(__name__)

BATCH = 20_000  # submissions of one transaction, about
SLICE_S = (
    10.0  # then the task ends and hints its successor: a worker can be stopped, limits stay far
)
TOGETHER = 2  # batches that are counted at the same time
AHEAD = 2  # batches on their way behind a full one: one is judged, one is claimed
LINGER_MS = 200  # wait for more: under a steady stream no message per submission is needed
TURN_S = 0.0003  # of a thread
TAKEOVER_EVERY_S = 5.0


def drain(context: WorkerContext, clock: Clock) -> int:
    """Count until the inbox is empty or the slice is over; the number of submissions settled."""
    inbox, redis, prefix = context.inbox, context.redis, context.settings.redis_prefix
    flag = drain_flag(prefix)
    inbox.prepare()
    settled = 0
    until = time.monotonic() + SLICE_S
    with (
        _tuned(),
        _Counting(context, clock) as counting,
        closing(_batches(context, until, counting.finish)) as batches,
    ):
        for batch in batches:
            redis.set(flag, b"1", px=HINT_TTL_MS)
            counting.begin(batch)
            settled += batch.size
            if batch.size >= BATCH:
                hint(context, help_flag(prefix), DRAIN)
        counting.finish()
    redis.delete(flag)
    if inbox.unclaimed():  # appended after the last claim, while the flag kept ingest from hinting
        hint(context, flag, DRAIN)
    return settled


class _Counting:
    """Counts and settles batches, two at a time: PostgreSQL takes one up while it writes the other to its disk."""

    def __init__(self, context: WorkerContext, clock: Clock) -> None:
        self._context = context
        self._clock = clock
        self._under_way: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        """Begin."""
        self._threads = ThreadPoolExecutor(TOGETHER, "counts")
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is under way, whatever becomes of it."""
        self._threads.shutdown()

    def begin(self, batch: Batch) -> None:
        """Count a batch as soon as there is room. Raises what an earlier one raised."""
        if len(self._under_way) == TOGETHER:
            self._under_way.popleft().result()
        self._under_way.append(self._threads.submit(_settle, self._context, batch, self._clock))

    def finish(self) -> None:
        """Wait until all are settled. Raises what one of them raised."""
        while self._under_way:
            self._under_way.popleft().result()


@contextmanager
def _tuned() -> Iterator[None]:
    """Without the cyclic collector, and with short turns of the interpreter's threads.

    A batch is ten thousands of tuples, none in a cycle: walking them again and again took 40 % of
    the counting. And an answer of the database must not wait for a whole turn (5 ms by default) of
    the thread that judges ahead.
    """
    turn = sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.enable()


def _batches(context: WorkerContext, until: float, finish: Callable[[], None]) -> Generator[Batch]:
    """What waits, batch by batch: own leftovers, what dead workers left, new entries.

    Behind a full batch the next ones are on their way while the database works on it: one is
    judged, one is claimed.
    """
    yield from _unsettled(context, until, finish)
    takeover_due = time.monotonic() + TAKEOVER_EVERY_S
    with ThreadPoolExecutor(1, "claims") as claims, ThreadPoolExecutor(1, "judges") as judges:
        ahead: deque[Future[Batch | None]] = deque()
        while ahead or time.monotonic() < until:
            batch = (
                ahead.popleft().result()
                if ahead
                else _judged(context, _claimed(context, LINGER_MS))
            )
            if batch is None:
                if ahead:
                    continue
                return
            while batch.size >= BATCH and len(ahead) < AHEAD and time.monotonic() < until:
                claimed = claims.submit(_claimed, context, None)
                ahead.append(judges.submit(_judged_when_claimed, context, claimed))
            yield batch
            if not ahead and time.monotonic() >= takeover_due:
                yield from _unsettled(context, until, finish)
                takeover_due = time.monotonic() + TAKEOVER_EVERY_S


def _unsettled(context: WorkerContext, until: float, finish: Callable[[], None]) -> Iterator[Batch]:
    """What was claimed and is not settled: by this worker when counting failed, by others that died."""
    inbox, idle = context.inbox, context.settings.takeover_idle
    while time.monotonic() < until:
        finish()  # what is still being counted would look like it
        batch = _judged(context, inbox.leftovers(BATCH) or inbox.take_over(idle, BATCH))
        if batch is None:
            return
        yield batch


def _claimed(context: WorkerContext, wait_ms: int | None) -> Sequence[Entry]:
    context.redis.set(drain_flag(context.settings.redis_prefix), b"1", px=HINT_TTL_MS)
    return context.inbox.claim(BATCH, wait_ms)


def _judged(context: WorkerContext, entries: Sequence[Entry]) -> Batch | None:
    # The epoch is asked for now: it may change while a slice lasts, when Redis is replaced.
    return judged(context.judge(), entries, context.inbox.epoch()) if entries else None


def _judged_when_claimed(context: WorkerContext, claimed: Future[Sequence[Entry]]) -> Batch | None:
    return _judged(context, claimed.result())


def hint(context: WorkerContext, flag: str, task: str) -> bool:
    """Send `task` unless its flag says that one is on its way; whether it was sent."""
    if not context.redis.set(flag, b"1", nx=True, px=HINT_TTL_MS):
        return False
    context.celery.send_task(task, retry=False)
    return True


def _settle(context: WorkerContext, batch: Batch, clock: Clock) -> None:
    result = _count(context, batch, clock)
    context.inbox.settle(batch.entries)
    hint(context, refresh_flag(context.settings.redis_prefix), REFRESH)
    log.info("counted", extra={"entries": len(batch.entries), **result._asdict()})


def _count(context: WorkerContext, batch: Batch, clock: Clock) -> Counted:
    """Count; a batch that cannot be counted for a reason of its own is counted entry by entry, the bad one parked."""
    try:
        return _in_turn(context, batch, clock)
    except Unavailable:
        raise
    except Uncountable:
        log.exception("batch cannot be counted", extra={"entries": len(batch.entries)})
    return _isolate(context, batch, clock)


def _in_turn(context: WorkerContext, batch: Batch, clock: Clock) -> Counted:
    """Count, again after a collision: what another worker wrote meanwhile is then known."""
    for attempt in range(1, ATTEMPTS):
        try:
            return _once(context, batch, clock)
        except Collision as error:
            log.info(
                "another worker had the same rows",
                extra={"error": type(error).__name__, "attempt": attempt},
            )
    return _once(context, batch, clock)


def _isolate(context: WorkerContext, batch: Batch, clock: Clock) -> Counted:
    """Count entry by entry, so that one bad entry holds up no other; that one is parked whole."""
    results = []
    for entry in batch.entries:
        judge = context.judge()
        try:
            results.append(_in_turn(context, judged(judge, [entry], batch.epoch), clock))
        except Unavailable:
            raise
        except Uncountable:
            log.exception(
                "entry cannot be counted: parked", extra={"stream_id": entry.stream_id.decode()}
            )
            results.append(
                _in_turn(context, judged(Quarantine(judge.registry), [entry], batch.epoch), clock)
            )
    return Counted(*map(sum, zip(*results, strict=True)))


def _once(context: WorkerContext, batch: Batch, clock: Clock) -> Counted:
    now = clock()
    return count(context.engine, batch, now, now.astimezone(context.zone).date())


class Quarantine(Judge):
    """Parks everything: for an entry whose counting fails again and again. Replayed once the cause is mended."""

    # The signature is Judge's.
    def judge(
        self, bodies: Sequence[bytes], channels: Sequence[str], received_us: object, now_us: int = 0
    ) -> Judgement:
        """Park."""
        del channels, received_us, now_us
        digests = np.asarray(list(map(digest, bodies)), dtype=np.int64)
        return Judgement((), dict.fromkeys(range(len(bodies)), UNCOUNTABLE), digests)

"""Empties the inbox: claim, judge, count, settle, until nothing comes or the slice is over."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

from services.aggregate.counting.batch import Batch, judged
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.hints import keep_flag_up, send_hint
from services.aggregate.worker.settlement import count_and_settle
from shared.broker import DRAIN
from shared.hinting import drain_flag, help_flag
from shared.inbox.entry import Entry
from shared.storage.engine import DatabaseClock

BATCH = 20_000  # submissions of one transaction, about
# Then the task ends and hints its successor: a worker can be stopped, limits stay far.
SLICE_S = 10.0
LINGER_MS = 200  # wait for more: under a steady stream no message per submission is needed
TAKEOVER_EVERY_S = 5.0


def drain(context: WorkerContext, clock: DatabaseClock) -> int:
    """Count until the inbox is empty or the slice is over; return how many were settled."""
    prefix = context.settings.redis_prefix
    flag = drain_flag(prefix)
    context.inbox.prepare()
    settled = 0
    until_s = time.monotonic() + SLICE_S
    with _without_cycle_search(), _CountingThread(context, clock) as counting:
        for batch in _batches(context, until_s, counting.wait):
            keep_flag_up(context, flag)
            counting.start(batch)
            settled += batch.size
            if batch.size >= BATCH:
                send_hint(context, help_flag(prefix), DRAIN)
        counting.wait()
    context.redis.delete(flag)
    # Appended after the last claim, while the flag kept ingest from hinting.
    if context.inbox.unclaimed():
        send_hint(context, flag, DRAIN)
    return settled


class _CountingThread:
    """Counts and settles one batch while the next is claimed and judged.

    One after the other they take two thirds more time (26.6 us a response instead of 15.8).
    """

    def __init__(self, context: WorkerContext, clock: DatabaseClock) -> None:
        self._context = context
        self._clock = clock
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, "counts")
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()  # waits for what is under way, whatever becomes of it

    def start(self, batch: Batch) -> None:
        """Count a batch as soon as the one before is settled. Raises what that one raised."""
        self.wait()
        self._under_way = self._thread.submit(count_and_settle, self._context, batch, self._clock)

    def wait(self) -> None:
        """Wait until the batch under way is settled. Raises what it raised."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            under_way.result()


@contextmanager
def _without_cycle_search() -> Iterator[None]:
    """Switch the cyclic collector off.

    A batch is ten thousands of objects, none in a cycle: looking for some takes 5 to 13 % of a
    worker's CPU (0.8 to 1.7 of 13 us a response).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _batches(context: WorkerContext, until_s: float, wait: Callable[[], None]) -> Iterator[Batch]:
    """Yield what waits, batch by batch: own leftovers, what dead workers left, new entries."""
    yield from _unsettled(context, until_s, wait)
    takeover_due_s = time.monotonic() + TAKEOVER_EVERY_S
    while time.monotonic() < until_s:
        keep_flag_up(context, drain_flag(context.settings.redis_prefix))
        entries = context.inbox.claim(BATCH, LINGER_MS)
        if not entries:
            return
        yield _judged(context, entries)
        if time.monotonic() >= takeover_due_s:
            yield from _unsettled(context, until_s, wait)
            takeover_due_s = time.monotonic() + TAKEOVER_EVERY_S


def _unsettled(context: WorkerContext, until_s: float, wait: Callable[[], None]) -> Iterator[Batch]:
    """Yield what was claimed and not settled: here, when counting failed, or by dead workers."""
    inbox, idle_s = context.inbox, context.settings.takeover_idle
    while time.monotonic() < until_s:
        wait()  # what is still being counted would look like it
        entries = inbox.leftovers(BATCH) or inbox.take_over(idle_s, BATCH)
        if not entries:
            return
        yield _judged(context, entries)


def _judged(context: WorkerContext, entries: Sequence[Entry]) -> Batch:
    # The epoch is asked for now: it may change while a slice lasts, when Redis is replaced.
    return judged(context.judge(), entries, context.inbox.epoch())

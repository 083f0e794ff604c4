"""Empties the inbox: claim, count, settle, until nothing comes any more or the time slice is over."""

import gc
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import psycopg
import sqlalchemy as sa

from services.aggregate import count as counting
from services.aggregate.count import Batch
from services.aggregate.judge import Countable, Judge, Parkable, digest
from services.aggregate.workbench import Workbench
from shared.broker import DRAIN, REFRESH
from shared.clock import Clock
from shared.domain.check import Violation
from shared.hinting import HINT_TTL_MS, drain_flag, help_flag, refresh_flag

log = logging.getLogger(__name__)

BATCH = 10_000  # submissions of one transaction, about
SLICE_S = 10.0  # then the task ends and hints its successor: a worker can be stopped, limits stay far
LINGER_MS = 200  # wait for more: under a steady stream no message per submission is needed
TAKEOVER_EVERY_S = 5.0
ATTEMPTS = 3

# The database is away or busy: everything stays claimed and is tried again.
Unavailable = (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# Another worker had the same entries or rows.
Collision = (sa.exc.IntegrityError, psycopg.IntegrityError, psycopg.errors.DeadlockDetected)


def drain(bench: Workbench, clock: Clock) -> int:
    """Count until the inbox is empty or the slice is over; the number of submissions settled."""
    inbox, redis, prefix = bench.inbox, bench.redis, bench.settings.redis_prefix
    flag = drain_flag(prefix)
    inbox.prepare()
    epoch = inbox.epoch()
    settled = 0
    with _uncollected():
        for batch in _batches(bench, time.monotonic() + SLICE_S):
            redis.set(flag, b"1", px=HINT_TTL_MS)
            _settle(bench, batch, epoch, clock)
            settled += len(batch.submitted)
            if len(batch.submitted) >= BATCH:
                hint(bench, help_flag(prefix), DRAIN)
    redis.delete(flag)
    if inbox.unclaimed():  # appended after the last claim, while the flag kept ingest from hinting
        hint(bench, flag, DRAIN)
    return settled


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cyclic collector: a batch is ten thousands of tuples, none in a cycle.

    Walking them again and again took 40 % of the counting.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _batches(bench: Workbench, until: float) -> Iterator[Batch]:
    """What waits, batch by batch: own leftovers, what dead workers left, new entries.

    Behind a full batch the next one is claimed and judged while the database works on it.
    """
    inbox, idle = bench.inbox, bench.settings.takeover_idle
    for entries in (inbox.leftovers(), inbox.take_over(idle)):
        if entries:
            yield counting.judged(bench.judge(), entries)
    takeover_due = time.monotonic() + TAKEOVER_EVERY_S
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        ahead: Future[Batch] | None = None
        while ahead is not None or time.monotonic() < until:
            batch = _claim(bench, LINGER_MS) if ahead is None else ahead.result()
            ahead = None
            if not batch.entries:
                return
            if len(batch.submitted) >= BATCH and time.monotonic() < until:
                ahead = thread.submit(_claim, bench, None)
            yield batch
            if ahead is None and time.monotonic() >= takeover_due:
                takeover_due = time.monotonic() + TAKEOVER_EVERY_S
                if taken := inbox.take_over(idle):
                    yield counting.judged(bench.judge(), taken)


def _claim(bench: Workbench, wait_ms: int | None) -> Batch:
    bench.redis.set(drain_flag(bench.settings.redis_prefix), b"1", px=HINT_TTL_MS)
    entries = bench.inbox.claim(BATCH, wait_ms)
    return counting.judged(bench.judge(), entries) if entries else Batch((), ())


def hint(bench: Workbench, flag: str, task: str) -> bool:
    """Send `task` unless its flag says that one is on its way; whether it was sent."""
    if not bench.redis.set(flag, b"1", nx=True, px=HINT_TTL_MS):
        return False
    bench.celery.send_task(task, retry=False)
    return True


def _settle(bench: Workbench, batch: Batch, epoch: UUID, clock: Clock) -> None:
    result = _count(bench, batch, epoch, clock)
    bench.inbox.settle(batch.entries)
    hint(bench, refresh_flag(bench.settings.redis_prefix), REFRESH)
    log.info("counted", extra={"entries": len(batch.entries), **result._asdict()})


def _count(bench: Workbench, batch: Batch, epoch: UUID, clock: Clock) -> counting.Counted:
    """Count, again after a collision; what cannot be counted for a reason of its own is isolated and parked."""
    for attempt in range(1, ATTEMPTS + 1):
        now = clock()
        today = now.astimezone(bench.zone).date()
        try:
            return counting.count(bench.engine, batch, epoch, now, today)
        except Collision as error:
            log.info("another worker had the same rows", extra={"error": type(error).__name__, "attempt": attempt})
            if attempt == ATTEMPTS:
                raise
        except Unavailable:
            raise
        except (sa.exc.SQLAlchemyError, psycopg.Error, ValueError, TypeError, ArithmeticError, LookupError):
            log.exception("batch cannot be counted", extra={"entries": len(batch.entries)})
            break
    return _isolate(bench, batch, epoch, clock)


def _isolate(bench: Workbench, batch: Batch, epoch: UUID, clock: Clock) -> counting.Counted:
    """Count entry by entry, so that one bad entry holds up no other; that one is parked whole."""
    results = []
    for entry in batch.entries:
        now = clock()
        today = now.astimezone(bench.zone).date()
        judge = bench.judge()
        try:
            results.append(counting.count(bench.engine, counting.judged(judge, [entry]), epoch, now, today))
        except Unavailable:
            raise
        except (sa.exc.SQLAlchemyError, psycopg.Error, ValueError, TypeError, ArithmeticError, LookupError):
            log.exception("entry cannot be counted: parked", extra={"stream_id": entry.stream_id.decode()})
            quarantined = counting.judged(Quarantine(judge.registry), [entry])
            results.append(counting.count(bench.engine, quarantined, epoch, now, today))
    return counting.Counted(*map(sum, zip(*results, strict=True)))


class Quarantine(Judge):
    """Parks everything: for an entry whose counting fails again and again. Replayed once the cause is mended."""

    def judge(self, body: bytes, channel: str, received_us: int) -> Countable | Parkable:  # noqa: ARG002 - of Judge
        """Park."""
        failed = Violation("", "uncountable", "counting failed; the log says why")
        return Parkable([failed], failed.code, digest(body))

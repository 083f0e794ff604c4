"""Empties the inbox: claim, count, settle, until nothing comes any more or the time slice is over."""

import gc
import logging
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

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
from shared.inbox import Entry

log = logging.getLogger(__name__)

BATCH = 10_000  # submissions of one transaction, about
SLICE_S = 10.0  # then the task ends and hints its successor: a worker can be stopped, limits stay far
LINGER_MS = 200  # wait for more: under a steady stream no message per submission is needed
TURN_S = 0.0003  # of a thread
TAKEOVER_EVERY_S = 5.0
ATTEMPTS = 3

# The database is away or busy: everything stays claimed and is tried again.
Unavailable = (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# Another worker had the same entries or rows.
Collision = (sa.exc.IntegrityError, psycopg.IntegrityError, psycopg.errors.DeadlockDetected)
# What is left: something in the batch itself.
UNCOUNTABLE = Violation("", "uncountable", "counting failed; the log says why")
Uncountable = (sa.exc.SQLAlchemyError, psycopg.Error, ValueError, TypeError, ArithmeticError, LookupError)


def drain(bench: Workbench, clock: Clock) -> int:
    """Count until the inbox is empty or the slice is over; the number of submissions settled."""
    inbox, redis, prefix = bench.inbox, bench.redis, bench.settings.redis_prefix
    flag = drain_flag(prefix)
    inbox.prepare()
    settled = 0
    with _tuned(), closing(_batches(bench, time.monotonic() + SLICE_S)) as batches:
        for batch in batches:
            redis.set(flag, b"1", px=HINT_TTL_MS)
            _settle(bench, batch, clock)
            settled += len(batch.submitted)
            if len(batch.submitted) >= BATCH:
                hint(bench, help_flag(prefix), DRAIN)
    redis.delete(flag)
    if inbox.unclaimed():  # appended after the last claim, while the flag kept ingest from hinting
        hint(bench, flag, DRAIN)
    return settled


@contextmanager
def _tuned() -> Iterator[None]:
    """Without the cyclic collector, and with short turns of the interpreter's threads.

    A batch is ten thousands of tuples, none in a cycle: walking them again and again took 40 % of the counting. And an
    answer of the database must not wait for a whole turn (5 ms by default) of the thread that judges ahead.
    """
    turn = sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.enable()


def _batches(bench: Workbench, until: float) -> Generator[Batch]:
    """What waits, batch by batch: own leftovers, what dead workers left, new entries.

    Behind a full batch the next one is claimed and judged while the database works on it.
    """
    yield from _unsettled(bench, until)
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
                yield from _unsettled(bench, until)
                takeover_due = time.monotonic() + TAKEOVER_EVERY_S


def _unsettled(bench: Workbench, until: float) -> Iterator[Batch]:
    """What was claimed and is not settled: by this worker when counting failed, by others that died."""
    inbox, idle = bench.inbox, bench.settings.takeover_idle
    while time.monotonic() < until and (entries := inbox.leftovers(BATCH) or inbox.take_over(idle, BATCH)):
        yield _judged(bench, entries)


def _claim(bench: Workbench, wait_ms: int | None) -> Batch:
    bench.redis.set(drain_flag(bench.settings.redis_prefix), b"1", px=HINT_TTL_MS)
    return _judged(bench, bench.inbox.claim(BATCH, wait_ms))


def _judged(bench: Workbench, entries: Sequence[Entry]) -> Batch:
    # The epoch is asked for now: it may change while a slice lasts, when Redis is replaced.
    return counting.judged(bench.judge(), entries, bench.inbox.epoch()) if entries else counting.NOTHING


def hint(bench: Workbench, flag: str, task: str) -> bool:
    """Send `task` unless its flag says that one is on its way; whether it was sent."""
    if not bench.redis.set(flag, b"1", nx=True, px=HINT_TTL_MS):
        return False
    bench.celery.send_task(task, retry=False)
    return True


def _settle(bench: Workbench, batch: Batch, clock: Clock) -> None:
    result = _count(bench, batch, clock)
    bench.inbox.settle(batch.entries)
    hint(bench, refresh_flag(bench.settings.redis_prefix), REFRESH)
    log.info("counted", extra={"entries": len(batch.entries), **result._asdict()})


def _count(bench: Workbench, batch: Batch, clock: Clock) -> counting.Counted:
    """Count, again after a collision; what cannot be counted for a reason of its own is isolated and parked."""
    for attempt in range(ATTEMPTS):
        try:
            return _once(bench, batch, clock)
        except Collision as error:
            log.info("another worker had the same rows", extra={"error": type(error).__name__, "attempt": attempt})
        except Unavailable:
            raise
        except Uncountable:
            log.exception("batch cannot be counted", extra={"entries": len(batch.entries)})
            break
    return _isolate(bench, batch, clock)


def _isolate(bench: Workbench, batch: Batch, clock: Clock) -> counting.Counted:
    """Count entry by entry, so that one bad entry holds up no other; that one is parked whole."""
    results = []
    for entry in batch.entries:
        judge = bench.judge()
        try:
            results.append(_once(bench, counting.judged(judge, [entry], batch.epoch), clock))
        except Unavailable:
            raise
        except Uncountable:
            log.exception("entry cannot be counted: parked", extra={"stream_id": entry.stream_id.decode()})
            quarantined = counting.judged(Quarantine(judge.registry), [entry], batch.epoch)
            results.append(_once(bench, quarantined, clock))
    return counting.Counted(*map(sum, zip(*results, strict=True)))


def _once(bench: Workbench, batch: Batch, clock: Clock) -> counting.Counted:
    now = clock()
    return counting.count(bench.engine, batch, now, now.astimezone(bench.zone).date())


class Quarantine(Judge):
    """Parks everything: for an entry whose counting fails again and again. Replayed once the cause is mended."""

    # The signature is Judge's.
    def judge(self, body: bytes, channel: str, received_us: int, now_us: int = 0) -> Countable | Parkable:  # noqa: ARG002
        """Park."""
        return Parkable([UNCOUNTABLE], UNCOUNTABLE.code, digest(body))

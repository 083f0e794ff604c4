"""Empties the inbox: claim, count, settle, until nothing comes any more or the time slice is over."""

import logging
import time
from collections.abc import Sequence

import psycopg
import sqlalchemy as sa

from services.aggregate import count as counting
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
    started, takeover_due, settled = time.monotonic(), 0.0, 0
    entries = inbox.leftovers()
    while time.monotonic() - started < SLICE_S:
        redis.set(flag, b"1", px=HINT_TTL_MS)
        if not entries and time.monotonic() >= takeover_due:
            takeover_due = time.monotonic() + TAKEOVER_EVERY_S
            entries = inbox.take_over(bench.settings.takeover_idle)
        entries = entries or inbox.claim(BATCH, LINGER_MS)
        if not entries:
            break
        _settle(bench, entries, clock)
        settled += sum(entry.accepted for entry in entries)
        _ask_for_help(bench, entries)
        entries = []
    redis.delete(flag)
    if inbox.unclaimed():  # appended after the last claim, while the flag kept ingest from hinting
        hint(bench, flag, DRAIN)
    return settled


def hint(bench: Workbench, flag: str, task: str) -> bool:
    """Send `task` unless its flag says that one is on its way; whether it was sent."""
    if not bench.redis.set(flag, b"1", nx=True, px=HINT_TTL_MS):
        return False
    bench.celery.send_task(task, retry=False)
    return True


def _settle(bench: Workbench, entries: Sequence[Entry], clock: Clock) -> None:
    result = _count(bench, bench.judge(), entries, clock)
    bench.inbox.settle(entries)
    hint(bench, refresh_flag(bench.settings.redis_prefix), REFRESH)
    log.info(
        "counted",
        extra={
            "entries": len(entries),
            "counted": result.counted,
            "duplicate": result.duplicate,
            "parked": result.parked,
        },
    )


def _count(bench: Workbench, judge: Judge, entries: Sequence[Entry], clock: Clock) -> counting.Counted:
    """Count, again after a collision; what cannot be counted for a reason of its own is isolated and parked."""
    for _ in range(ATTEMPTS):
        try:
            return counting.count(bench.engine, judge, entries, bench.inbox.epoch(), clock())
        except Collision as error:
            log.info("counted by another worker meanwhile", extra={"error": type(error).__name__})
        except Unavailable:
            raise
        except (sa.exc.SQLAlchemyError, psycopg.Error, ValueError, TypeError, ArithmeticError, LookupError) as error:
            log.exception("batch cannot be counted", extra={"entries": len(entries)})
            return _isolate(bench, judge, entries, clock, error)
    return counting.count(bench.engine, judge, entries, bench.inbox.epoch(), clock())


def _isolate(
    bench: Workbench, judge: Judge, entries: Sequence[Entry], clock: Clock, error: Exception
) -> counting.Counted:
    if len(entries) == 1:
        if isinstance(judge, Quarantine):
            raise error
        return _count(bench, Quarantine(judge.registry), entries, clock)
    results = [_count(bench, judge, [entry], clock) for entry in entries]
    return counting.Counted(
        sum(result.counted for result in results),
        sum(result.duplicate for result in results),
        sum(result.parked for result in results),
    )


class Quarantine(Judge):
    """Parks everything: for an entry whose counting fails again and again. Replayed once the cause is mended."""

    def judge(self, body: bytes, channel: str, received_us: int) -> Countable | Parkable:  # noqa: ARG002
        """Park."""
        return Parkable([Violation("", "uncountable", "counting failed; the log says why")], digest(body))


def _ask_for_help(bench: Workbench, entries: Sequence[Entry]) -> None:
    if sum(entry.accepted for entry in entries) >= BATCH:
        hint(bench, help_flag(bench.settings.redis_prefix), DRAIN)

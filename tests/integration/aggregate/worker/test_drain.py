"""Draining with several workers, dead ones, servers gone: nothing is lost or counted twice."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from redis import Redis

from services.aggregate.counting import count as counting
from services.aggregate.counting.batch import Batch, judged
from services.aggregate.counting.recovery import ATTEMPTS
from services.aggregate.worker import drain as draining
from services.aggregate.worker import settlement
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.sweep import fold
from services.ops.stack.servers import Postgres
from shared.broker import DRAIN
from shared.connections import worker_redis
from shared.hinting import drain_flag
from shared.inbox.keys import Keys
from shared.inbox.reader import Reader
from shared.storage import ledger, receipts, tables
from shared.storage.checks import ledger_checks
from shared.storage.engine import transaction
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    NOW,
    append,
    apply,
    content,
    count,
    entry,
    ledger_totals,
    parcel,
    put,
    rows,
    sent,
    wait_for_lock,
    worker_context,
)

KEYS = Keys.of("ikm:")


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url, takeover_idle="0") as worker:
        apply(worker.engine)
        yield worker


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


def other(redis: Redis) -> Reader:
    """The inbox as another worker process has it."""
    reader = Reader(redis, "ikm:", "other")
    reader.prepare()
    return reader


def hints(redis: Redis) -> int:
    """How many messages wait in the queue of `drain`."""
    return sum(DRAIN in str(message) for message in redis.lrange("ikm:celery:inbox", 0, -1))


def test_everything_a_dead_worker_held_is_counted_by_the_next_drain(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    """Each submission is an entry of its own: a worker may hold thousands of entries."""
    append(redis_url, *(entry([sent(str(number))]) for number in range(300)))
    assert len(other(redis).claim(10_000)) == 300
    assert count(context) == 300
    assert ledger_totals(context.engine) == (300, 300, 0, 0)
    assert context.inbox.depth().entries == 0


def test_everything_a_worker_failed_to_count_is_counted_by_its_next_drain(
    context: WorkerContext, redis_url: str
) -> None:
    append(redis_url, *(entry([sent(str(number))]) for number in range(300)))
    context.inbox.claim(10_000)
    context.settings = context.settings.model_copy(update={"takeover_idle": 3600})
    assert count(context) == 300


def test_a_claim_is_about_as_large_as_asked_for(context: WorkerContext, redis_url: str) -> None:
    items = [sent(str(number)) for number in range(100)]
    append(redis_url, *([parcel(items)] for _ in range(30)))
    assert sum(claimed.accepted for claimed in context.inbox.claim(1000)) == 1000
    assert sum(claimed.accepted for claimed in context.inbox.claim(250)) == 300
    assert sum(claimed.accepted for claimed in context.inbox.leftovers(500)) == 500
    assert sum(claimed.accepted for claimed in context.inbox.take_over(0, 900)) == 900


def test_claims_on_entries_that_somebody_deleted_are_dropped(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    append(redis_url, *(entry([sent(str(number))]) for number in range(3)))
    claimed = context.inbox.claim(10)
    redis.xdel(KEYS.stream, claimed[0].stream_id)
    assert count(context) == 2
    assert redis.xpending(KEYS.stream, "count")["pending"] == 0


def test_an_entry_taken_over_while_its_first_worker_still_counts_counts_once(
    context: WorkerContext, redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis_url, sent("a"), sent("b"), sent("a"))
    slow = other(redis)
    batch = judged(context.judge(), slow.claim(10), slow.epoch())
    at_the_end, go_on = threading.Event(), threading.Event()

    def enter_slowly(*arguments: Any) -> None:
        monkeypatch.undo()
        at_the_end.set()
        assert go_on.wait(20)
        ledger.enter(*arguments)

    monkeypatch.setattr(ledger, "enter", enter_slowly)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(
            counting.count, context.engine, batch, context.judge_in, stopped_clock(NOW)
        )
        assert at_the_end.wait(20)
        second = threads.submit(count, context)
        wait_for_lock(context.engine)
        go_on.set()
        assert first.result(20) == (2, 1, 0)
        slow.settle(batch.entries)
        second.result(20)
    assert ledger_totals(context.engine) == (3, 2, 1, 0)
    assert context.inbox.depth().settled == 3


def test_receipts_that_another_worker_writes_after_the_look_are_duplicates(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers have one submission: the unique index says so, and the batch is counted again."""
    append(redis_url, entry([sent("a"), sent("b")]), entry([sent("b"), sent("c")]))
    first, second = context.inbox.claim(1), context.inbox.claim(10)
    epoch = context.inbox.epoch()

    batch, stored_digests = judged(context.judge(), second, epoch), receipts.stored_digests

    def look(*arguments: Any) -> Any:
        monkeypatch.undo()
        digests = stored_digests(*arguments)
        assert counting.count(
            context.engine,
            judged(context.judge(), first, epoch),
            context.judge_in,
            stopped_clock(NOW),
        ) == (2, 0, 0)
        return digests

    monkeypatch.setattr(receipts, "stored_digests", look)
    with pytest.raises(psycopg.errors.UniqueViolation):
        counting.count(context.engine, batch, context.judge_in, stopped_clock(NOW))
    assert count(context) == 4
    assert ledger_totals(context.engine) == (4, 3, 1, 0)
    assert context.inbox.depth().waiting == 0


def test_collisions_park_nothing(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that always meets others is counted entry by entry, and each of those again."""
    append(redis_url, entry([sent("a")]), entry([sent("b")]))
    left, copy = ATTEMPTS + 3, receipts.copy

    def collide(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise psycopg.errors.UniqueViolation
        copy(*arguments)

    monkeypatch.setattr(receipts, "copy", collide)
    assert count(context) == 2
    assert left < 0
    assert ledger_totals(context.engine) == (2, 2, 0, 0)


def test_workers_with_the_same_entries_and_rows_do_not_disturb_each_other(
    database_url: str, redis_url: str, context: WorkerContext
) -> None:
    places: list[dict[str, Any]] = [{}, {"opd": "dinkes", "layanan": "puskesmas"}]
    items = [sent(str(number % 40), **places[number % 2]) for number in range(200)]
    append(redis_url, *(entry(items[first : first + 5]) for first in range(0, 200, 5)))
    start = threading.Barrier(3)

    def work() -> None:
        with worker_context(database_url, redis_url, takeover_idle="0") as own:
            own.inbox.epoch()
            start.wait(20)
            count(own)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work) for _ in range(3)]:
            done.result(50)
    assert ledger_totals(context.engine) == (200, 40, 160, 0)
    assert context.inbox.depth().waiting == 0


def test_a_drain_whose_flag_expired_counts_what_another_left(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    """A flag that falls while a batch is counted only brings a second drain."""
    put(redis_url, sent("a"))
    redis.delete(drain_flag("ikm:"))
    assert count(context) == 1
    assert redis.get(drain_flag("ikm:")) is None
    assert count(context) == 0


def test_what_came_while_the_flag_was_up_is_hinted_when_the_slice_is_over(
    context: WorkerContext, redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "SLICE_S", 0.0)
    put(redis_url, sent("a"))
    assert count(context) == 0
    assert hints(redis) == 1


def test_after_redis_was_emptied_counting_goes_on_in_a_new_life(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    put(redis_url, sent("a"))
    count(context)
    first = context.inbox.epoch()
    redis.flushall()
    put(redis_url, sent("a"), sent("b"))
    count(context)
    assert context.inbox.epoch() != first
    assert ledger_totals(context.engine) == (3, 2, 1, 0)


def test_the_ledger_is_the_same_before_and_after_it_is_folded(
    context: WorkerContext, redis_url: str
) -> None:
    append(redis_url, entry([sent("a")]), entry([sent("b"), sent("a")]))
    count(context)
    with transaction(context.engine) as checking:
        ledger.postpone_folding(checking)
        assert fold(context) == 0, "a check looks at it"
    assert fold(context) == 1
    assert not rows(context.engine, tables.inbox_entry)
    assert ledger_totals(context.engine) == (3, 2, 1, 0)


def test_a_consumer_that_was_idle_is_forgotten_unless_it_holds_something(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    put(redis_url, sent("a"))
    other(redis).claim(1)
    context.inbox.claim(1)
    time.sleep(0.02)
    context.inbox.retire(0.01)
    assert [consumer["name"] for consumer in redis.xinfo_consumers(KEYS.stream, "count")] == [
        b"other"
    ]


def test_postgresql_killed_in_the_middle_of_a_batch_costs_nothing(
    own_postgres: Postgres, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*arguments: Any) -> None:
        monkeypatch.undo()
        own_postgres.kill()
        ledger.enter(*arguments)

    with worker_context(own_postgres.url, redis_url, takeover_idle="0") as context:
        apply(context.engine)
        put(redis_url, sent("a"))
        count(context)
        append(redis_url, *(entry([sent(f"b{number}"), sent("a")]) for number in range(50)))
        monkeypatch.setattr(ledger, "enter", kill)
        for _ in range(2):
            with pytest.raises((psycopg.OperationalError, sa.exc.OperationalError)):
                count(context)
        assert context.inbox.depth().waiting == 100
        own_postgres.start()
        assert count(context) == 100
        assert ledger_totals(context.engine) == (101, 51, 50, 0)
        assert len(content(context.engine)["response"]) == 51


def test_entries_of_others_that_always_fail_never_stop_new_ones(
    context: WorkerContext, redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis_url, sent("old"))
    [old] = other(redis).claim(1)
    counted = counting.count

    def fail_for_old(engine: sa.Engine, batch: Batch, *arguments: Any) -> Any:
        if old.entry in {claimed.entry for claimed in batch.entries}:
            raise psycopg.errors.LockNotAvailable
        return counted(engine, batch, *arguments)

    monkeypatch.setattr(settlement, "count", fail_for_old)
    for number in range(3):
        put(redis_url, sent(f"new-{number}"))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            count(context)
        assert ledger_totals(context.engine)[0] == number + 1
    monkeypatch.undo()
    assert count(context) == 1
    assert ledger_totals(context.engine) == (4, 4, 0, 0)


def test_the_life_of_the_inbox_is_that_of_the_claim(
    context: WorkerContext, redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is emptied just after a claim: what was claimed is of the life before."""
    append(redis_url, entry([sent("a")]), entry([sent("b")]))
    context.inbox.prepare()
    first, claim = context.inbox.epoch(), context.inbox.claim

    def claim_and_lose(*arguments: Any) -> Any:
        monkeypatch.undo()
        entries = claim(*arguments)
        redis.flushall()
        put(redis_url, sent("c"))
        context.inbox.prepare()
        return entries + claim(*arguments)

    monkeypatch.setattr(context.inbox, "claim", claim_and_lose)
    assert count(context) == 3
    with context.engine.connect() as connection:
        epochs = ledger_checks.epoch_totals(connection)
    assert {epoch.epoch: epoch.accepted for epoch in epochs} == {
        first: 2,
        context.inbox.epoch(): 1,
    }

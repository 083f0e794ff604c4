"""A worker that was frozen wakes to entries that others counted, settled and folded meanwhile."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from redis import Redis

from services.aggregate.counting.batch import Batch, judged
from services.aggregate.verify.proof import verify
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.settlement import count_and_settle
from services.aggregate.worker.sweep import fold
from shared.connections import worker_redis
from shared.inbox.audit import Audit
from shared.storage import ledger, tables
from shared.storage.engine import transaction
from shared.storage.registry import stored_registry
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    NOW,
    REGISTRY,
    append,
    apply,
    content,
    count,
    entry,
    ledger_totals,
    put,
    rows,
    sent,
    worker_context,
)


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url, takeover_idle="0") as worker:
        apply(worker.engine)
        yield worker


@pytest.fixture
def frozen(database_url: str, redis_url: str, context: WorkerContext) -> Iterator[WorkerContext]:
    """Another worker process; between two calls it is as good as frozen."""
    with worker_context(database_url, redis_url, takeover_idle="0") as worker:
        assert worker.inbox.epoch() == context.inbox.epoch()
        yield worker


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


def claimed(worker: WorkerContext) -> Batch:
    """What the worker has in hand when it is frozen."""
    epoch = worker.inbox.epoch()
    return judged(worker.judge(), worker.inbox.claim(1000), epoch)


def settle(worker: WorkerContext, batch: Batch) -> None:
    """Count and settle, as a worker does that was thawed."""
    count_and_settle(worker, batch, stopped_clock(NOW))


def findings(context: WorkerContext) -> list[str]:
    """What `verify` says about the ledger and all that it rests on."""
    report = verify(context.engine, Audit(context.redis, "ikm:"))
    return [finding.text for finding in report.findings]


def test_an_entry_that_was_folded_meanwhile_is_not_entered_again(
    context: WorkerContext, frozen: WorkerContext, redis_url: str
) -> None:
    append(redis_url, entry([sent("a"), sent("b")]), entry([sent("a")]))
    batch = claimed(frozen)
    assert count(context) == 3
    assert fold(context) == 1
    before = content(context.engine)
    settle(frozen, batch)
    assert ledger_totals(context.engine) == (3, 2, 1, 0)
    assert content(context.engine) == before
    assert not findings(context)


def test_a_worker_that_is_frozen_between_its_look_and_its_entry_enters_nothing_twice(
    context: WorkerContext, frozen: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of duplicates alone no receipt is written that could collide: only the horizon tells."""
    put(redis_url, sent("a"))
    count(context)
    put(redis_url, sent("a"), sent("a"))
    batch, enter = claimed(frozen), ledger.enter

    def enter_late(*arguments: Any) -> None:
        monkeypatch.undo()
        assert count(context) == 2
        assert fold(context) == 1
        enter(*arguments)

    monkeypatch.setattr(ledger, "enter", enter_late)
    settle(frozen, batch)
    assert ledger_totals(context.engine) == (3, 1, 2, 0)
    assert not findings(context)


def test_a_fold_between_the_look_for_the_rows_and_that_at_the_horizon_is_seen(
    context: WorkerContext, frozen: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis_url, sent("a"))
    batch, counted_entries = claimed(frozen), ledger.counted_entries

    def look_early(*arguments: Any) -> Any:
        monkeypatch.undo()
        counted = counted_entries(*arguments)
        assert count(context) == 1
        assert fold(context) == 1
        return counted

    monkeypatch.setattr(ledger, "counted_entries", look_early)
    settle(frozen, batch)
    assert ledger_totals(context.engine) == (1, 1, 0, 0)


def test_of_an_earlier_life_only_what_was_never_counted_is_counted(
    context: WorkerContext, frozen: WorkerContext, redis_url: str, redis: Redis
) -> None:
    append(redis_url, entry([sent("a")]), entry([sent("b")]))
    batch = claimed(frozen)
    first = batch._replace(entries=batch.entries[:1])
    settle(context, judged(context.judge(), first.entries, first.epoch))
    redis.flushall()
    put(redis_url, sent("c"))
    assert count(context) == 1
    assert fold(context) == 2
    settle(frozen, batch)
    assert ledger_totals(context.engine) == (3, 3, 0, 0)
    assert fold(context) == 1
    settle(frozen, batch)
    assert ledger_totals(context.engine) == (3, 3, 0, 0)
    assert not findings(context)


def test_a_life_that_began_after_the_look_is_not_folded_as_an_earlier_one(
    context: WorkerContext, redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis_url, sent("a"))
    count(context)
    put(redis_url, sent("b"))
    epoch = context.inbox.epoch()

    def ask_late() -> Any:
        monkeypatch.undo()
        redis.flushall()
        put(redis_url, sent("a"))
        count(context)
        return epoch

    monkeypatch.setattr(context.inbox, "epoch", ask_late)
    assert fold(context) == 1
    assert len(rows(context.engine, tables.inbox_entry)) == 1
    assert not findings(context)


def test_what_redis_puts_before_the_horizon_is_counted_all_the_same(
    context: WorkerContext, redis_url: str
) -> None:
    """Its clock went back with its data: a new entry gets a position that was folded before."""
    put(redis_url, sent("a"))
    count(context)
    epoch = context.inbox.epoch()
    with transaction(context.engine) as connection:
        ledger.fold(connection, {epoch: ledger.LIFE_IS_OVER})
    put(redis_url, sent("a"), sent("b"))
    assert count(context) == 2
    assert ledger_totals(context.engine) == (3, 2, 1, 0)


def test_the_horizon_never_goes_back(context: WorkerContext) -> None:
    epoch = uuid4()
    for position in ((5, 3), (5, 2), (4, 9)):
        with transaction(context.engine) as connection:
            ledger.fold(connection, {epoch: position})
            assert ledger.read_horizon(connection, epoch) == (5, 3)


def test_a_batch_is_judged_again_when_the_registry_has_changed(
    context: WorkerContext, redis_url: str
) -> None:
    put(redis_url, sent("a", layanan="paspor"), sent("b"))
    batch = claimed(context)
    assert list(batch.judgement.parkable) == [0]
    layanan = "- {code: ktp-el, name: KTP}"
    apply(
        context.engine,
        REGISTRY.replace(layanan, f"{layanan}\n      - {{code: paspor, name: Paspor}}"),
    )
    settle(context, batch)
    assert ledger_totals(context.engine) == (2, 2, 0, 0)


def test_the_registry_does_not_change_while_a_batch_is_counted(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis_url, sent("a"))
    batch, enter = claimed(context), ledger.enter

    def enter_meanwhile(*arguments: Any) -> None:
        monkeypatch.undo()
        with context.engine.connect() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = 50"))
            with pytest.raises(sa.exc.OperationalError):
                stored_registry.lock(connection)
        enter(*arguments)

    monkeypatch.setattr(ledger, "enter", enter_meanwhile)
    settle(context, batch)
    assert ledger_totals(context.engine) == (1, 1, 0, 0)

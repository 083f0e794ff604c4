"""What outlived its retention is emptied, once a day, and nothing else changes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from redis import Redis
from redis.exceptions import ResponseError

from services.aggregate.counting.replay import Replay, Replayed
from services.aggregate.worker import retention
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.retention import retain
from shared.clock import utc_now
from shared.storage import tables
from shared.storage.engine import transaction
from tests.integration.aggregate.counting.counting import apply, count, put, sent, worker_context

OLD = 100  # days, which is longer than the retention here


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url, retention_days="90") as worker:
        apply(worker.engine)
        for days in (0, OLD):
            comment = f"{days} days ago"
            put(redis_url, sent(f"comment {days}", comment=comment))
            put(redis_url, sent(f"parked {days}", opd="unknown", comment="private"))
        count(worker)
        _put_back(worker, 0)
        _put_back(worker, OLD)
        yield worker


def _put_back(context: WorkerContext, days: int) -> None:
    """Let the submissions of so many days ago be so old."""
    then = utc_now() - timedelta(days=days)
    response, parked, receipt = tables.response, tables.parked, tables.receipt
    with transaction(context.engine) as connection:
        connection.execute(
            sa.update(response).where(response.c.comment == f"{days} days ago").values(day=then)
        )
        for table in (parked, receipt):
            of_that_age = table.c.source_id == f"parked {days}"
            connection.execute(sa.update(table).where(of_that_age).values(received_at=then))


def comments(context: WorkerContext) -> set[str | None]:
    with context.engine.connect() as connection:
        return set(connection.scalars(sa.select(tables.response.c.comment)))


def parked(context: WorkerContext) -> dict[str, dict[str, Any]]:
    with context.engine.connect() as connection:
        rows = connection.execute(sa.select(tables.parked)).mappings().all()
    return {row["source_id"]: dict(row) for row in rows}


def test_old_comments_and_parked_bodies_are_emptied_and_the_others_stay(
    context: WorkerContext,
) -> None:
    retain(context)
    assert comments(context) == {"0 days ago", None}
    old, young = parked(context)[f"parked {OLD}"], parked(context)["parked 0"]
    assert (old["body"], old["violations"], old["reason"]) == (b"", [], "unknown-opd")
    assert old["emptied_at"] is not None
    assert b"private" in young["body"]
    assert young["emptied_at"] is None


def test_what_was_emptied_is_never_judged_again(context: WorkerContext) -> None:
    retain(context)
    emptied = parked(context)[f"parked {OLD}"]
    replay = Replay(context.engine)
    assert replay.waiting() == Replayed(parked=1)
    assert replay.named([emptied["receipt"]]) == Replayed(gone=1)
    assert parked(context)[f"parked {OLD}"] == emptied


def test_it_is_done_once_a_day_and_goes_on_while_something_is_left(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = f"{context.settings.redis_prefix}retained"
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "BATCHES", 1)
    retain(context)
    assert not context.redis.exists(done), "a full batch: something may be left"
    retain(context)
    assert context.redis.ttl(done) > retention.DAY_S - 60
    with transaction(context.engine) as connection:
        connection.execute(
            sa.update(tables.response).values(comment="written again", day="2020-01-01")
        )
    retain(context)
    assert comments(context) == {"written again"}


def test_without_a_retention_nothing_is_emptied(context: WorkerContext) -> None:
    context.settings = context.settings.model_copy(update={"retention_days": 0})
    retain(context)
    assert comments(context) == {"0 days ago", f"{OLD} days ago"}


def test_what_was_counted_leaves_the_file_of_redis(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a Redis that forbids it does not keep anything from being emptied."""
    rewrites = _rewrites(context.redis)
    retain(context)
    assert _rewrites(context.redis) > rewrites

    def forbidden(**_: object) -> bool:
        raise ResponseError("unknown command")

    context.redis.delete(f"{context.settings.redis_prefix}retained")
    monkeypatch.setattr(context.redis, "bgrewriteaof", forbidden)
    retain(context)
    assert comments(context) == {"0 days ago", None}


def _rewrites(redis: Redis) -> int:
    return int(redis.info("commandstats").get("cmdstat_bgrewriteaof", {"calls": 0})["calls"])

"""Replaying what is parked: counted once the registry is mended, else parked for today's reason."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from services.aggregate.counting import replay as replaying
from services.aggregate.counting.judge import Judge
from services.aggregate.counting.judgement import Judgement
from services.aggregate.counting.replay import Replay, Replayed
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.verify.proof import verify
from services.aggregate.worker.context import WorkerContext
from shared.inbox.audit import Audit
from shared.storage import tables
from shared.storage.engine import transaction
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    NOW,
    Sent,
    answers,
    apply,
    content,
    count,
    ledger_totals,
    put,
    sent,
    with_nul,
    worker_context,
)

MENDED = """
questionnaires:
  - code: skm-2030
    name: SKM 2030
    unsur: [{code: U1, key: a, name: A, question: "?", options: [a, b, c, d]}]
opd:
  - {code: baru, name: Baru, layanan: [{code: ktp-el, name: KTP}]}
  - code: disdukcapil
    name: Disdukcapil
    layanan: [{code: kk, name: KK, valid_to: 2026-12-31}, {code: kia, name: KIA}]
"""
ITEMS = {
    "unknown-opd": sent("1", opd="baru"),
    "unknown-layanan": sent("2", layanan="kia"),
    "closed-layanan": sent("3", layanan="kk"),
    "unknown-questionnaire": sent("4", questionnaire="skm-2030", answers={"U1": 3}),
    "future-date": sent("5", submitted_at="2026-06-01T09:00:00+07:00"),
}


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url) as worker:
        apply(worker.engine)
        yield worker


def park(context: WorkerContext, redis_url: str, *items: Sent) -> None:
    put(redis_url, *items)
    count(context)


def parked(context: WorkerContext) -> dict[str, dict[str, Any]]:
    with context.engine.connect() as connection:
        rows = connection.execute(sa.select(tables.parked)).mappings().all()
    return {row["source_id"]: dict(row) for row in rows}


def replay(context: WorkerContext, **changes: Any) -> Replay:
    return Replay(context.engine, **{"clock": stopped_clock(NOW), **changes})


def findings(context: WorkerContext) -> object:
    refresh(context.engine, context.registry(), stopped_clock(NOW), Cache())
    return verify(context.engine, Audit(context.redis, "ikm:")).findings


@pytest.mark.parametrize("reason", ITEMS)
def test_what_was_parked_is_counted_once_its_cause_is_mended(
    context: WorkerContext, redis_url: str, reason: str
) -> None:
    park(context, redis_url, ITEMS[reason])
    assert [row["reason"] for row in parked(context).values()] == [reason]
    apply(context.engine, MENDED)
    later = NOW + timedelta(days=27)
    assert replay(context, clock=stopped_clock(later)).waiting() == Replayed(counted=1)
    assert replay(context, clock=stopped_clock(later)).waiting() == Replayed()
    assert ledger_totals(context.engine) == (1, 0, 0, 1), (
        "the ledger says what was known when it was accepted"
    )
    assert parked(context) == {}
    assert not findings(context)


def test_it_is_counted_as_if_the_registry_had_been_right(
    context: WorkerContext, redis_url: str
) -> None:
    apply(context.engine, MENDED)
    right = [item for reason, item in ITEMS.items() if reason != "future-date"]
    park(context, redis_url, *right)
    expected = content(context.engine)
    with transaction(context.engine) as connection:
        for table in (tables.receipt, tables.response, tables.day_tally, tables.inbox_entry):
            connection.execute(sa.delete(table))
        connection.execute(
            sa.delete(tables.layanan).where(tables.layanan.c.code.in_(["kia", "kk"]))
        )
        connection.execute(sa.delete(tables.layanan).where(tables.layanan.c.opd == "baru"))
        connection.execute(
            sa.update(tables.registry_version).values(version=tables.registry_version.c.version + 1)
        )
    park(context, redis_url, *right)
    assert len(parked(context)) == 3
    apply(context.engine, MENDED)
    assert replay(context).waiting().counted == 3
    assert content(context.engine) == expected


def test_what_still_cannot_be_counted_says_why_now(context: WorkerContext, redis_url: str) -> None:
    park(context, redis_url, sent("1", opd="baru", layanan="tidak-ada"))
    assert replay(context).waiting() == Replayed(parked=1)
    apply(context.engine, MENDED)
    assert replay(context, clock=stopped_clock(NOW + timedelta(hours=1))).waiting() == Replayed(
        parked=1
    )
    row = parked(context)["1"]
    assert (row["reason"], row["tries"], row["tried_at"]) == (
        "unknown-layanan",
        2,
        NOW + timedelta(hours=1),
    )
    assert row["violations"][0]["pointer"] == "/layanan"
    with context.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.receipt.c.reason)) == "unknown-layanan"
    assert not findings(context)


def test_a_future_date_counts_once_its_day_has_come(context: WorkerContext, redis_url: str) -> None:
    park(context, redis_url, ITEMS["future-date"])
    assert replay(context, clock=stopped_clock(NOW + timedelta(days=20))).waiting() == Replayed(
        parked=1
    )
    assert replay(context, clock=stopped_clock(NOW + timedelta(days=27))).waiting() == Replayed(
        counted=1
    )


def test_a_conflict_counts_only_when_it_is_forced_and_under_its_own_receipt(
    context: WorkerContext, redis_url: str
) -> None:
    park(context, redis_url, sent("a"), sent("a", answers=answers("111111111")))
    assert replay(context).waiting() == Replayed(parked=1)
    assert parked(context)["a"]["reason"] == "id-conflict"
    assert replay(context, force=True).waiting() == Replayed(counted=1)
    with context.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.response)) == 2
    put(redis_url, sent("a", answers=answers("111111111")), sent("a"))
    count(context)
    assert ledger_totals(context.engine) == (4, 1, 2, 1), "it stays a repetition"
    assert not findings(context)


def test_only_what_is_named_is_replayed(context: WorkerContext, redis_url: str) -> None:
    park(context, redis_url, *ITEMS.values())
    apply(context.engine, MENDED)
    rows = parked(context)
    codes: list[UUID] = [rows["1"]["receipt"], rows["1"]["receipt"], rows["5"]["receipt"], uuid4()]
    assert replay(context).named(codes) == Replayed(counted=1, parked=1, gone=1)
    assert replay(context).waiting("unknown-layanan") == Replayed(counted=1)
    assert replay(context).waiting("tidak-ada") == Replayed()
    assert sorted(parked(context)) == ["3", "4", "5"]


def test_a_repetition_after_the_replay_is_a_repetition(
    context: WorkerContext, redis_url: str
) -> None:
    park(context, redis_url, *ITEMS.values())
    apply(context.engine, MENDED)
    replay(context).waiting()
    put(redis_url, *ITEMS.values())
    count(context)
    assert ledger_totals(context.engine) == (10, 0, 5, 5)


def test_many_are_replayed_in_batches_and_progress_is_told(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "BATCH", 10)
    park(
        context,
        redis_url,
        *(sent(str(index), opd="baru" if index % 2 else "tidak-ada") for index in range(45)),
    )
    apply(context.engine, MENDED)
    seen: list[tuple[int, int]] = []
    assert replay(context).waiting(
        None, lambda done, total: seen.append((done, total))
    ) == Replayed(22, 23, 0)
    assert seen == [(10, 45), (20, 45), (30, 45), (40, 45), (45, 45)]
    assert not findings(context)


def test_several_replays_beside_counting_count_once(
    context: WorkerContext, redis_url: str, database_url: str
) -> None:
    items = [sent(str(index), opd="baru") for index in range(60)]
    park(context, redis_url, *items)
    apply(context.engine, MENDED)
    put(redis_url, *items, sent("new"))
    with ThreadPoolExecutor(3) as threads:
        replays = [threads.submit(replay(context).waiting) for _ in range(2)]
        counting = threads.submit(count, context)
        assert sum(done.result(30).counted for done in replays) == 60
        counting.result(30)
    assert ledger_totals(context.engine) == (121, 1, 60, 60)
    assert not findings(context)


def test_one_that_cannot_be_counted_does_not_hold_up_the_others(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(
        context,
        redis_url,
        sent("1", opd="baru"),
        sent("2", opd="baru", comment="NUL"),
        sent("3", opd="baru"),
    )
    apply(context.engine, MENDED)
    judge = Judge.judge

    def careless(self: Judge, *arguments: Any) -> Judgement:
        return with_nul(judge(self, *arguments))

    monkeypatch.setattr(Judge, "judge", careless)
    assert replay(context).waiting() == Replayed(counted=2, parked=1)
    assert parked(context)["2"]["reason"] == "uncountable"
    monkeypatch.undo()
    assert replay(context).waiting() == Replayed(counted=1)
    assert not findings(context)


def test_a_foreign_entry_stays_parked_as_what_it_is(context: WorkerContext, redis_url: str) -> None:
    context.inbox.prepare()
    context.redis.xadd("ikm:inbox", {"hello": "world"})
    count(context)
    assert replay(context).waiting() == Replayed(parked=1)
    (row,) = parked(context).values()
    assert (row["reason"], row["body"]) == (
        "malformed-json",
        json.dumps({}).encode(),
    ) or b"hello" in row["body"]
    assert not findings(context)


def test_a_conflict_stays_one_when_it_was_forced_in_vain(
    context: WorkerContext, redis_url: str
) -> None:
    """Else the next replay, which is not forced, would count one id twice."""
    park(context, redis_url, sent("a"), sent("a", layanan="kia"))
    assert replay(context, force=True).waiting() == Replayed(parked=1)
    [row] = parked(context).values()
    assert row["reason"] == "id-conflict"
    codes = [violation["code"] for violation in row["violations"]]
    assert codes == ["id-conflict", "unknown-layanan"]
    apply(context.engine, MENDED)
    assert replay(context).waiting() == Replayed(parked=1)
    assert replay(context, force=True).waiting() == Replayed(counted=1)


def test_a_replay_judges_by_the_registry_of_the_moment_at_which_it_counts(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(context, redis_url, *(sent(source_id, layanan="kia") for source_id in "ab"))
    monkeypatch.setattr(replaying, "BATCH", 1)

    def mend(done: int, _: int) -> None:
        if done == 1:
            apply(context.engine, MENDED)

    assert replay(context).waiting(progress=mend) == Replayed(counted=1, parked=1)

"""Replaying what is parked: counted once the registry is mended, else still parked with the reason of now."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from services.aggregate.counting import replay as replaying
from services.aggregate.counting.judge import Judge, Judgement
from services.aggregate.counting.replay import Replay, Replayed
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.verify.proof import verify
from services.aggregate.worker.context import Workbench
from shared.inbox.audit import Audit
from shared.storage import tables
from shared.storage.engine import transaction
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
    workbench,
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
def bench(database_url: str, redis_url: str) -> Iterator[Workbench]:
    with workbench(database_url, redis_url) as found:
        apply(found.engine)
        yield found


def park(bench: Workbench, redis_url: str, *items: Sent) -> None:
    put(redis_url, *items)
    count(bench)


def parked(bench: Workbench) -> dict[str, dict[str, Any]]:
    with bench.engine.connect() as connection:
        rows = connection.execute(sa.select(tables.parked)).mappings().all()
    return {row["source_id"]: dict(row) for row in rows}


def replay(bench: Workbench, **changes: Any) -> Replay:
    return Replay(bench.engine, **{"now": NOW, **changes})


def findings(bench: Workbench) -> object:
    refresh(bench.engine, bench.registry(), NOW, Cache())
    return verify(bench.engine, Audit(bench.redis, "ikm:")).findings


@pytest.mark.parametrize("reason", ITEMS)
def test_what_was_parked_is_counted_once_its_cause_is_mended(
    bench: Workbench, redis_url: str, reason: str
) -> None:
    park(bench, redis_url, ITEMS[reason])
    assert [row["reason"] for row in parked(bench).values()] == [reason]
    apply(bench.engine, MENDED)
    later = NOW + timedelta(days=27)
    assert replay(bench, now=later).waiting() == Replayed(counted=1)
    assert replay(bench, now=later).waiting() == Replayed()
    assert ledger_totals(bench.engine) == (1, 0, 0, 1), (
        "the ledger says what was known when it was accepted"
    )
    assert parked(bench) == {}
    assert not findings(bench)


def test_it_is_counted_as_if_the_registry_had_been_right(bench: Workbench, redis_url: str) -> None:
    apply(bench.engine, MENDED)
    right = [item for reason, item in ITEMS.items() if reason != "future-date"]
    park(bench, redis_url, *right)
    expected = content(bench.engine)
    with transaction(bench.engine) as connection:
        for table in (tables.receipt, tables.response, tables.day_tally, tables.inbox_entry):
            connection.execute(sa.delete(table))
        connection.execute(
            sa.delete(tables.layanan).where(tables.layanan.c.code.in_(["kia", "kk"]))
        )
        connection.execute(sa.delete(tables.layanan).where(tables.layanan.c.opd == "baru"))
        connection.execute(
            sa.update(tables.registry_version).values(version=tables.registry_version.c.version + 1)
        )
    park(bench, redis_url, *right)
    assert len(parked(bench)) == 3
    apply(bench.engine, MENDED)
    assert replay(bench).waiting().counted == 3
    assert content(bench.engine) == expected


def test_what_still_cannot_be_counted_says_why_now(bench: Workbench, redis_url: str) -> None:
    park(bench, redis_url, sent("1", opd="baru", layanan="tidak-ada"))
    assert replay(bench).waiting() == Replayed(parked=1)
    apply(bench.engine, MENDED)
    assert replay(bench, now=NOW + timedelta(hours=1)).waiting() == Replayed(parked=1)
    row = parked(bench)["1"]
    assert (row["reason"], row["tries"], row["tried_at"]) == (
        "unknown-layanan",
        2,
        NOW + timedelta(hours=1),
    )
    assert row["violations"][0]["pointer"] == "/layanan"
    with bench.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.receipt.c.reason)) == "unknown-layanan"
    assert not findings(bench)


def test_a_future_date_counts_once_its_day_has_come(bench: Workbench, redis_url: str) -> None:
    park(bench, redis_url, ITEMS["future-date"])
    assert replay(bench, now=NOW + timedelta(days=20)).waiting() == Replayed(parked=1)
    assert replay(bench, now=NOW + timedelta(days=27)).waiting() == Replayed(counted=1)


def test_a_conflict_counts_only_when_it_is_forced_and_under_its_own_receipt(
    bench: Workbench, redis_url: str
) -> None:
    park(bench, redis_url, sent("a"), sent("a", answers=answers("111111111")))
    assert replay(bench).waiting() == Replayed(parked=1)
    assert parked(bench)["a"]["reason"] == "id-conflict"
    assert replay(bench, force=True).waiting() == Replayed(counted=1)
    with bench.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.response)) == 2
    put(redis_url, sent("a", answers=answers("111111111")), sent("a"))
    count(bench)
    assert ledger_totals(bench.engine) == (4, 1, 2, 1), "it stays a repetition"
    assert not findings(bench)


def test_only_what_is_named_is_replayed(bench: Workbench, redis_url: str) -> None:
    park(bench, redis_url, *ITEMS.values())
    apply(bench.engine, MENDED)
    rows = parked(bench)
    codes: list[UUID] = [rows["1"]["receipt"], rows["1"]["receipt"], rows["5"]["receipt"], uuid4()]
    assert replay(bench).named(codes) == Replayed(counted=1, parked=1, gone=1)
    assert replay(bench).waiting("unknown-layanan") == Replayed(counted=1)
    assert replay(bench).waiting("tidak-ada") == Replayed()
    assert sorted(parked(bench)) == ["3", "4", "5"]


def test_a_repetition_after_the_replay_is_a_repetition(bench: Workbench, redis_url: str) -> None:
    park(bench, redis_url, *ITEMS.values())
    apply(bench.engine, MENDED)
    replay(bench).waiting()
    put(redis_url, *ITEMS.values())
    count(bench)
    assert ledger_totals(bench.engine) == (10, 0, 5, 5)


def test_many_are_replayed_in_batches_and_progress_is_told(
    bench: Workbench, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "BATCH", 10)
    park(
        bench,
        redis_url,
        *(sent(str(at), opd="baru" if at % 2 else "tidak-ada") for at in range(45)),
    )
    apply(bench.engine, MENDED)
    seen: list[tuple[int, int]] = []
    assert replay(bench).waiting(None, lambda done, total: seen.append((done, total))) == Replayed(
        22, 23, 0
    )
    assert seen == [(10, 45), (20, 45), (30, 45), (40, 45), (45, 45)]
    assert not findings(bench)


def test_several_replays_beside_counting_count_once(
    bench: Workbench, redis_url: str, database_url: str
) -> None:
    items = [sent(str(at), opd="baru") for at in range(60)]
    park(bench, redis_url, *items)
    apply(bench.engine, MENDED)
    put(redis_url, *items, sent("new"))
    with ThreadPoolExecutor(3) as threads:
        replays = [threads.submit(replay(bench).waiting) for _ in range(2)]
        counting = threads.submit(count, bench)
        assert sum(done.result(30).counted for done in replays) == 60
        counting.result(30)
    assert ledger_totals(bench.engine) == (121, 1, 60, 60)
    assert not findings(bench)


def test_one_that_cannot_be_counted_does_not_hold_up_the_others(
    bench: Workbench, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(
        bench,
        redis_url,
        sent("1", opd="baru"),
        sent("2", opd="baru", comment="NUL"),
        sent("3", opd="baru"),
    )
    apply(bench.engine, MENDED)
    judge = Judge.judge

    def careless(self: Judge, *arguments: Any) -> Judgement:
        return with_nul(judge(self, *arguments))

    monkeypatch.setattr(Judge, "judge", careless)
    assert replay(bench).waiting() == Replayed(counted=2, parked=1)
    assert parked(bench)["2"]["reason"] == "uncountable"
    monkeypatch.undo()
    assert replay(bench).waiting() == Replayed(counted=1)
    assert not findings(bench)


def test_a_foreign_entry_stays_parked_as_what_it_is(bench: Workbench, redis_url: str) -> None:
    bench.inbox.prepare()
    bench.redis.xadd("ikm:inbox", {"hello": "world"})
    count(bench)
    assert replay(bench).waiting() == Replayed(parked=1)
    (row,) = parked(bench).values()
    assert (row["reason"], row["body"]) == (
        "malformed-json",
        json.dumps({}).encode(),
    ) or b"hello" in row["body"]
    assert not findings(bench)

"""`rebuild` gives the tallies of counting, bit for bit, and mends others, under traffic too."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from services.aggregate.counting import count as counting
from services.aggregate.counting import rebuild as rebuilding
from services.aggregate.counting.batch import judged
from services.aggregate.counting.rebuild import Rebuilt, rebuild
from services.aggregate.rolling.refresh import refresh
from services.aggregate.verify.proof import verify
from services.aggregate.worker.context import WorkerContext
from shared.inbox.audit import Audit
from shared.storage import rolling, tables
from shared.storage.cursor import Cursor
from shared.storage.engine import transaction
from shared.storage.tallies import tally_rebuild
from shared.storage.tallies.tally_rebuild import StoredResponse
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    NOW,
    answers,
    append,
    apply,
    content,
    count,
    entry,
    ledger_totals,
    put,
    rows,
    sent,
    wait_for_lock,
    worker_context,
)

ITEMS = (
    sent("a"),
    sent("b", answers=answers("123412341"), respondent={"sex": "L", "age": 61}),
    sent("c", submitted_at="2026-04-30T12:00:00+07:00", respondent=..., channel="kiosk"),
    sent("d", opd="dinkes", layanan="puskesmas", channel="kiosk"),
    sent("e", opd="dinkes", layanan="lab", answers={"S1": 3, "S2": None}),
    sent("f", opd="dinkes", layanan="lab", answers={"S1": 3, "S2": 1}),
    sent("g", opd="tidak-ada"),
)


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url) as worker:
        apply(worker.engine)
        put(redis_url, *ITEMS)
        count(worker)
        yield worker


def damage(context: WorkerContext, statement: str) -> None:
    with transaction(context.engine) as connection:
        assert connection.execute(sa.text(statement)).rowcount > 0


def states(context: WorkerContext) -> list[rolling.OpdState]:
    with context.engine.connect() as connection:
        return rolling.read_states(connection)


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_a_rebuild_gives_what_counting_gave(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(rebuilding, "CHUNK", chunk)
    before = content(context.engine)
    assert rebuild(context.engine) == Rebuilt(responses=6, changed=0, opd=2)
    assert content(context.engine) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE day_tally SET n = n + 1, total_sq = 0",
        "UPDATE day_tally SET counts[2] = 9 WHERE facet = 'all'",
        "DELETE FROM day_tally WHERE opd = 'dinkes'",
        "UPDATE day_tally SET opd = 'hantu' WHERE facet = 'sex'",
    ],
)
def test_a_rebuild_mends_whatever_was_damaged(context: WorkerContext, statement: str) -> None:
    before = content(context.engine)
    damage(context, statement)
    assert rebuild(context.engine).changed > 0
    assert content(context.engine) == before
    assert rebuild(context.engine).changed == 0


def test_a_rebuild_of_nothing_leaves_nothing(context: WorkerContext) -> None:
    damage(context, "DELETE FROM response")
    rebuild(context.engine)
    assert rows(context.engine, tables.day_tally) == []


def test_after_a_rebuild_every_opd_is_stale_also_for_its_past(context: WorkerContext) -> None:
    refresh(context.engine, context.registry(), stopped_clock(NOW), context.cache)
    before = {state.opd: state for state in states(context)}
    damage(context, "DELETE FROM opd_state WHERE opd = 'dinkes'")
    rebuild(context.engine)
    after = {state.opd: state for state in states(context)}
    assert after["disdukcapil"].version == before["disdukcapil"].version + 1
    assert all(state.past_version == state.version > state.refreshed for state in after.values())
    assert after.keys() == {"disdukcapil", "dinkes"}


def test_after_a_rebuild_the_next_refresh_mends_the_rolling_table_too(
    context: WorkerContext,
) -> None:
    refresh(context.engine, context.registry(), stopped_clock(NOW), context.cache)
    before = rows(context.engine, tables.rolling_ikm, "version", "computed_at")
    damage(context, "UPDATE day_tally SET n = n + 1, day = day - 3 WHERE facet = 'all'")
    damage(context, "UPDATE opd_state SET version = version + 1, past_version = version + 1")
    refresh(context.engine, context.registry(), stopped_clock(NOW), context.cache)
    assert rows(context.engine, tables.rolling_ikm, "version", "computed_at") != before
    rebuild(context.engine)
    refresh(context.engine, context.registry(), stopped_clock(NOW), context.cache)
    assert rows(context.engine, tables.rolling_ikm, "version", "computed_at") == before
    assert not verify(context.engine, Audit(context.redis, "ikm:")).findings


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("questionnaire = 'hilang'", "UnknownQuestionnaire"),
        ("scores = '44'", "ValueError"),
    ],
)
def test_an_opd_with_a_broken_response_keeps_its_tallies_and_the_others_are_rebuilt(
    context: WorkerContext, broken: str, reason: str
) -> None:
    before = content(context.engine)["day_tally"]
    damage(
        context,
        f"UPDATE response SET {broken} WHERE opd = 'dinkes' AND layanan = 'puskesmas'",
    )
    damage(context, "UPDATE day_tally SET n = n + 1 WHERE opd = 'disdukcapil'")
    rebuilt = rebuild(context.engine)
    assert rebuilt.changed > 0
    [left_out] = rebuilt.left_out
    assert left_out.startswith(f"dinkes: {reason}")
    assert content(context.engine)["day_tally"] == before


def test_progress_is_told(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "CHUNK", 4)
    seen: list[tuple[int, int]] = []
    rebuild(context.engine, lambda done, total: seen.append((done, total)))
    assert seen == [(4, 6), (6, 6)]


def test_counting_waits_for_a_rebuild_and_readers_do_not(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written but in no tally yet when the rebuild begins is added to the new ones."""
    reading, go_on = threading.Event(), threading.Event()
    read = tally_rebuild.stored_responses

    def read_slowly(cursor: Cursor, size: int) -> Iterator[Sequence[StoredResponse]]:
        reading.set()
        assert go_on.wait(20)
        yield from read(cursor, size)

    monkeypatch.setattr(tally_rebuild, "stored_responses", read_slowly)
    before = rows(context.engine, tables.day_tally)
    with ThreadPoolExecutor(2) as threads:
        rebuilt = threads.submit(rebuild, context.engine)
        assert reading.wait(20)
        put(redis_url, sent("new"), sent("other", opd="dinkes", layanan="puskesmas"))
        counted = threads.submit(count, context)
        wait_for_lock(context.engine)
        assert rows(context.engine, tables.day_tally) == before
        go_on.set()
        assert rebuilt.result(20).responses == 6
        assert counted.result(20) == 2
    assert ledger_totals(context.engine) == (9, 8, 0, 1)
    after = content(context.engine)
    assert rebuild(context.engine).changed == 0
    assert content(context.engine) == after


def test_rebuilding_again_and_again_under_traffic_loses_nothing(
    context: WorkerContext, database_url: str, redis_url: str
) -> None:
    append(
        redis_url,
        *(entry([sent(f"{number}-{index}") for index in range(5)]) for number in range(60)),
    )

    def work() -> None:
        with worker_context(database_url, redis_url) as own:
            while own.inbox.depth().entries:
                batch = own.inbox.claim(20)
                if batch:
                    batched = judged(own.judge(), batch, own.inbox.epoch())
                    counting.count(own.engine, batched, own.judge_in, stopped_clock(NOW))
                    own.inbox.settle(batch)

    with ThreadPoolExecutor(2) as threads:
        workers = [threads.submit(work) for _ in range(2)]
        while not all(worker.done() for worker in workers):
            assert rebuild(context.engine).changed == 0
        for worker in workers:
            worker.result(30)
    assert ledger_totals(context.engine) == (307, 306, 0, 1)
    assert not verify(context.engine, Audit(context.redis, "ikm:")).findings

"""`verify` finds nothing in what counting wrote, under traffic too, and every deliberate damage."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from redis import Redis

from services.aggregate.counting import count as counting
from services.aggregate.counting.batch import judged
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.verify import inbox_check
from services.aggregate.verify.findings import Finding, Report
from services.aggregate.verify.proof import verify
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.sweep import fold
from shared.connections import worker_redis
from shared.inbox.audit import Audit
from shared.inbox.keys import Keys
from shared.storage.engine import transaction
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    NOW,
    answers,
    append,
    apply,
    count,
    entry,
    put,
    sent,
    worker_context,
)

KEYS = Keys.of("ikm:")
ITEMS = (
    sent("a"),
    sent("b", answers=answers("123412341"), respondent={"sex": "L", "age": 61}),
    sent("c", submitted_at="2026-04-30T12:00:00+07:00", respondent=..., channel="kiosk"),
    sent("d", opd="dinkes", layanan="puskesmas"),
    sent("e", opd="dinkes", layanan="lab", answers={"S1": 3, "S2": None}),
    sent("f", opd="dinkes", layanan="lab", answers={"S1": 3, "S2": 1}),
    sent("a"),
    sent("g", opd="tidak-ada"),
)


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url, takeover_idle="0") as worker:
        apply(worker.engine)
        yield worker


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


@pytest.fixture
def counted(context: WorkerContext, redis_url: str) -> WorkerContext:
    """A context in which everything is counted and refreshed."""
    append(redis_url, entry(ITEMS[:3]), entry(ITEMS[3:]))
    count(context)
    refresh(context.engine, context.registry(), stopped_clock(NOW), Cache())
    return context


def verified(context: WorkerContext) -> Report:
    return verify(context.engine, Audit(context.redis, "ikm:"))


def findings(context: WorkerContext) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for finding in verified(context).findings:
        texts.setdefault(finding.check, []).append(finding.text)
    return texts


def damage(context: WorkerContext, statement: str, **values: Any) -> None:
    with transaction(context.engine) as connection:
        assert connection.execute(sa.text(statement), values).rowcount > 0


def test_nothing_is_found_in_an_empty_system(context: WorkerContext) -> None:
    assert not verified(context).findings


def test_nothing_is_found_in_what_was_counted(counted: WorkerContext) -> None:
    assert verified(counted) == ([], ["accepted 8, counted 6, duplicate 1, parked 1"])


def test_nothing_is_found_while_submissions_wait(counted: WorkerContext, redis_url: str) -> None:
    put(redis_url, sent("new"))
    put(redis_url, sent("newer"), sent("newest"))
    counted.inbox.claim(1)
    assert not findings(counted)


def test_nothing_is_found_between_commit_and_settlement(
    counted: WorkerContext, redis_url: str, redis: Redis
) -> None:
    put(redis_url, sent("new"), sent("a"))
    put(redis_url, sent("newer"))
    redis.xadd(KEYS.stream, {"foreign": "entry"})
    batch = judged(counted.judge(), counted.inbox.claim(10), counted.inbox.epoch())
    counting.count(counted.engine, batch, counted.judge_in, stopped_clock(NOW))
    assert not findings(counted)
    counted.inbox.settle(batch.entries)
    assert not findings(counted)


def test_nothing_is_found_after_the_ledger_was_folded(counted: WorkerContext) -> None:
    assert fold(counted) == 1
    assert not findings(counted)


def test_an_earlier_life_of_the_inbox_is_closed_and_no_finding(
    counted: WorkerContext, redis: Redis, redis_url: str
) -> None:
    closed = counted.inbox.epoch()
    redis.flushall()
    put(redis_url, sent("new"))
    count(counted)
    refresh(counted.engine, counted.registry(), stopped_clock(NOW), Cache())
    report = verified(counted)
    assert not report.findings
    assert report.notes[1:] == [f"inbox {closed} is closed (last counted 2026-05-04): accepted 8"]


def test_stale_opds_are_skipped_and_counted(counted: WorkerContext, redis_url: str) -> None:
    put(redis_url, sent("new"))
    count(counted)
    report = verified(counted)
    assert not report.findings
    assert "1 of 2 OPDs are being refreshed" in report.notes[-1]


@pytest.mark.parametrize(
    "change",
    [
        "n = n + 1",
        "counts[3] = counts[3] + 1",
        "complete = complete + 1",
        "total = total - 1",
        "total_sq = total_sq + 1",
        "day = day - 1",
        "value = 'X'",
    ],
)
def test_a_changed_tally_is_found(counted: WorkerContext, change: str) -> None:
    damage(counted, f"UPDATE day_tally SET {change} WHERE opd = 'disdukcapil' AND value = 'P'")
    texts = findings(counted)
    assert set(texts) == {"tally"}
    assert texts["tally"][0].startswith("day_tally disdukcapil/ktp-el 2026-05-0")


def test_a_changed_tally_says_what_it_should_be(counted: WorkerContext) -> None:
    damage(counted, "UPDATE day_tally SET n = 7 WHERE opd = 'disdukcapil' AND value = 'P'")
    assert findings(counted)["tally"] == [
        "day_tally disdukcapil/ktp-el 2026-05-04 sex=P skm-2017: n 7, responses give 1"
    ]


def test_a_missing_tally_is_found(counted: WorkerContext) -> None:
    damage(
        counted, "DELETE FROM day_tally WHERE opd = 'dinkes' AND layanan = 'lab' AND facet = 'age'"
    )
    assert findings(counted)["tally"] == [
        "day_tally dinkes/lab 2026-05-04 age=30-39 singkat: no row, responses give n=2"
    ]


def test_of_many_wrong_tallies_some_are_named(counted: WorkerContext) -> None:
    damage(counted, "UPDATE day_tally SET n = n + 1")
    assert findings(counted)["tally"][-1].endswith(" more day tallies differ")


def test_a_missing_response_is_found(counted: WorkerContext) -> None:
    damage(counted, "DELETE FROM response WHERE opd = 'disdukcapil' AND sex = 'L'")
    texts = findings(counted)
    assert texts["receipts"][0].startswith("receipt: counted, but without a row in response: 1 (")
    assert set(texts) == {"receipts", "tally"}


def test_a_lost_receipt_is_found(counted: WorkerContext) -> None:
    damage(counted, "DELETE FROM receipt WHERE source_id = 'a'")
    texts = findings(counted)["receipts"]
    assert texts[0] == "the ledger has counted + parked = 7, but there are 6 receipts"
    assert texts[1].startswith("response: without a receipt that is counted: 1 (")


def test_a_lost_parked_submission_is_found(counted: WorkerContext) -> None:
    damage(counted, "DELETE FROM parked")
    assert findings(counted)["receipts"][0].startswith(
        "receipt: parked, but without a row in parked: 1 ("
    )


def test_a_receipt_in_the_wrong_state_is_found(counted: WorkerContext) -> None:
    damage(counted, "UPDATE receipt SET state = 'counted' WHERE source_id = 'g'")
    assert len(findings(counted)["receipts"]) == 3


def test_an_entry_that_does_not_add_up_is_found(counted: WorkerContext) -> None:
    damage(counted, "UPDATE inbox_entry SET duplicate = duplicate + 1 WHERE accepted = 5")
    [text] = findings(counted)["balance"]
    assert text.startswith("inbox_entry: accepted is not counted + duplicate + parked: 1 (")
    assert text.endswith(" [accepted=5 counted=3 duplicate=2 parked=1])")


def test_an_entry_that_was_lost_after_it_was_counted_is_found(counted: WorkerContext) -> None:
    damage(counted, "DELETE FROM inbox_entry WHERE accepted = 5")
    assert findings(counted)["accepted"] == [
        "Redis accepted 8, but PostgreSQL counted 3 and 0 wait in the stream (5 missing)"
    ]


def test_an_entry_that_was_lost_in_the_stream_is_found(
    counted: WorkerContext, redis_url: str, redis: Redis
) -> None:
    put(redis_url, sent("new"), sent("newer"))
    put(redis_url, sent("newest"))
    oldest: Any = redis.xrange(KEYS.stream, count=1)
    redis.xdel(KEYS.stream, oldest[0][0])
    texts = findings(counted)
    assert texts["stream"] == [
        "Redis: accepted - settled = 3, but the stream holds 1 submissions (2 missing)"
    ]
    assert texts["accepted"] == [
        "Redis accepted 11, but PostgreSQL counted 8 and 1 wait in the stream (2 missing)"
    ]


def test_a_redis_that_lost_its_totals_is_found(counted: WorkerContext, redis: Redis) -> None:
    redis.hset(KEYS.state, "accepted", 5)
    assert findings(counted)["accepted"] == [
        "Redis accepted 5, but PostgreSQL counted 8 and 0 wait in the stream (3 too many)"
    ]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("respondents = respondents + 1", "respondents 3, the tallies give 2"),
        ("ikm = ikm + 0.01", "ikm "),
        ("detail = jsonb_set(detail, '{unsur,0,answered}', '9')", "detail differs"),
        ("first = first - 1", "first "),
    ],
)
def test_a_wrong_rolling_row_is_found(counted: WorkerContext, change: str, column: str) -> None:
    damage(
        counted,
        f"UPDATE rolling_ikm SET {change}"
        " WHERE opd = 'disdukcapil' AND layanan = 'ktp-el' AND \"window\" = 'today'",
    )
    texts = findings(counted)
    assert set(texts) == {"rolling"}
    assert texts["rolling"][0].startswith(f"rolling_ikm disdukcapil/ktp-el today: {column}")


def test_a_wrong_or_missing_row_of_the_instansi_is_found(counted: WorkerContext) -> None:
    damage(counted, "DELETE FROM rolling_ikm WHERE opd = '' AND \"window\" = 'all'")
    damage(counted, "UPDATE rolling_ikm SET ikm = 99 WHERE opd = '' AND \"window\" = '7d'")
    texts = findings(counted)["rolling"]
    assert [text.partition(":")[0] for text in texts] == [
        "rolling_ikm instansi 7d",
        "rolling_ikm instansi all",
    ]


def test_an_opd_that_nothing_would_refresh_is_found(counted: WorkerContext) -> None:
    damage(counted, "DELETE FROM opd_state WHERE opd = 'dinkes'")
    assert len([text for text in findings(counted)["rolling"] if "dinkes" in text]) == 4


def test_a_redis_that_is_away_is_a_finding_and_the_rest_is_checked(
    counted: WorkerContext, redis_url: str
) -> None:
    damage(
        counted,
        "UPDATE day_tally SET n = n + 1 WHERE value = 'P' AND opd = 'dinkes' AND layanan = 'lab'",
    )
    with worker_redis("unix:///nowhere/redis.sock") as away:
        report = verify(counted.engine, Audit(away, "ikm:"))
    assert [finding.check for finding in report.findings] == ["inbox", "tally"]


def test_progress_is_told_from_the_beginning_to_the_end(counted: WorkerContext) -> None:
    seen: list[tuple[int, int]] = []
    verify(
        counted.engine, Audit(counted.redis, "ikm:"), lambda done, total: seen.append((done, total))
    )
    assert [done for done, _ in seen] == list(range(seen[0][1] + 1))


def test_nothing_is_found_under_traffic(
    context: WorkerContext,
    database_url: str,
    redis_url: str,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Append, count by two workers, meet foreign entries, refresh, fold: never a false finding."""
    monkeypatch.setattr(inbox_check, "QUIET_WITHIN_S", 0.05)
    ended = threading.Event()

    def keep_sending() -> None:
        number = 0
        while not ended.is_set():
            items = [
                sent(f"{number}-{index}", opd="dinkes", layanan="puskesmas") for index in range(20)
            ]
            append(
                redis_url,
                *(entry(items[first : first + 4]) for first in range(0, 20, 4)),
                entry(ITEMS[:2]),
            )
            if number % 5 == 0:
                redis.xadd(KEYS.stream, {"foreign": uuid4().hex})
            number += 1

    def keep_counting() -> None:
        with worker_context(database_url, redis_url, takeover_idle="0.05") as own:
            while not ended.is_set():
                count(own)

    def keep_tidy() -> None:
        cache = Cache()
        while not ended.wait(0.02):
            fold(context)
            refresh(context.engine, context.registry(), stopped_clock(NOW), cache)

    context.inbox.epoch()
    reported: list[Finding] = []
    with ThreadPoolExecutor(4) as pool:
        running = [
            pool.submit(work) for work in (keep_sending, keep_counting, keep_counting, keep_tidy)
        ]
        try:
            for _ in range(15):
                reported += verified(context).findings
        finally:
            ended.set()
        for done in running:
            done.result(30)
    assert not reported
    count(context)
    assert not verified(context).findings

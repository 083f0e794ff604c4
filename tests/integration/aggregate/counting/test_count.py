"""Counting a batch: whatever comes becomes a response, a duplicate or a parked submission, once."""

from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest
import sqlalchemy as sa
from redis import Redis

from services.aggregate.counting import count as counting
from services.aggregate.counting.batch import judged
from services.aggregate.counting.judge import Judge
from services.aggregate.counting.judgement import Judgement
from services.aggregate.worker.context import WorkerContext
from shared.connections import worker_redis
from shared.inbox.keys import Keys
from shared.inbox.reader import Reader
from shared.storage import tables
from shared.storage.engine import transaction
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    NOW,
    NOW_US,
    answers,
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
    with_nul,
    worker_context,
)

STREAM = Keys.of("ikm:").stream


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url) as worker:
        apply(worker.engine)
        yield worker


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


def packed(**changes: Any) -> bytes:
    """What a parcel of one submission is in the stream, with the values that `changes` has."""
    right = {
        "channels": ["c"],
        "received_us": [1],
        "sizes": [1],
        "receipts": b"r" * 16,
        "ids": ["i"],
        "bodies": [b"{}"],
    }
    return msgspec.msgpack.encode(list((right | changes).values()))


def reasons(context: WorkerContext) -> list[str]:
    with context.engine.connect() as connection:
        parked = list(
            connection.scalars(
                sa.select(tables.parked.c.reason).order_by(tables.parked.c.source_id)
            )
        )
        noted = list(
            connection.scalars(
                sa.select(tables.receipt.c.reason)
                .where(tables.receipt.c.state == "parked")
                .order_by(tables.receipt.c.source_id)
            )
        )
    assert parked == noted
    return parked


def tally(
    context: WorkerContext, facet: str = "all", value: str = ""
) -> list[tuple[int, int, int, int, list[int]]]:
    table = tables.day_tally.c
    query = sa.select(table.n, table.complete, table.total, table.total_sq, table.counts)
    with context.engine.connect() as connection:
        selected = connection.execute(
            query.where(table.facet == facet, table.value == value).order_by(table.opd)
        )
        return [tuple(row) for row in selected]


def test_a_submission_becomes_a_response_a_receipt_and_tallies_of_every_facet(
    context: WorkerContext, redis_url: str
) -> None:
    put(redis_url, sent("a", answers=answers("443444433")))
    assert count(context) == 1
    counts = [
        int(score == digit) for digit in (4, 4, 3, 4, 4, 4, 4, 3, 3) for score in (1, 2, 3, 4)
    ]
    for facet, value in {
        "all": "", "sex": "P", "age": "30-39", "education": "S1", "occupation": "SWASTA",
        "channel": "loket",
    }.items():  # fmt: skip
        assert tally(context, facet, value) == [(1, 1, 33, 33 * 33, counts)]
    assert len(rows(context.engine, tables.day_tally)) == 6
    assert ledger_totals(context.engine) == (1, 1, 0, 0)


def test_a_response_is_counted_on_its_local_day(context: WorkerContext, redis_url: str) -> None:
    put(
        redis_url,
        sent("a", submitted_at="2026-05-03T16:59:59Z"),
        sent("b", submitted_at="2026-05-03T17:00:00Z"),
        sent("c", submitted_at="2026-05-04T00:30:00+09:00"),
        sent("d", submitted_at=..., received_us=NOW_US),
    )
    count(context)
    with context.engine.connect() as connection:
        selected = connection.execute(
            sa.select(tables.response.c.day).order_by(tables.response.c.answered_at)
        ).scalars()
        assert [day.isoformat() for day in selected] == [
            "2026-05-03",
            "2026-05-03",
            "2026-05-04",
            "2026-05-04",
        ]


def test_weights_and_unanswered_unsur_of_another_questionnaire(
    context: WorkerContext, redis_url: str
) -> None:
    put(
        redis_url,
        sent("a", opd="dinkes", layanan="lab", answers={"S1": 4, "S2": 1}, respondent=...),
        sent("b", opd="dinkes", layanan="lab", answers={"S1": 2, "S2": None}, respondent=...),
        sent("c", opd="dinkes", layanan="lab", answers={"S1": 2}, respondent=...),
    )
    count(context)
    assert tally(context) == [(3, 1, 13, 169, [0, 2, 0, 1, 1, 0, 0, 0])]


def test_what_the_registry_cannot_place_is_parked_with_its_reason_and_body(
    context: WorkerContext, redis_url: str
) -> None:
    items = [
        sent("1", opd="tidak-ada"),
        sent("2", layanan="tidak-ada"),
        sent("3", layanan="kk"),
        sent("4", submitted_at="2026-05-05T10:00:01+07:00"),
        sent("5", questionnaire="skm-2030"),
        sent("6", opd="dinkes", layanan="lab"),
    ]
    put(redis_url, *items)
    count(context)
    expected = [
        "unknown-opd", "unknown-layanan", "closed-layanan", "future-date", "unknown-questionnaire",
        "required",
    ]  # fmt: skip
    assert reasons(context) == expected
    with context.engine.connect() as connection:
        bodies = list(
            connection.scalars(sa.select(tables.parked.c.body).order_by(tables.parked.c.source_id))
        )
    assert bodies == [item.body for item in items]
    assert ledger_totals(context.engine) == (6, 0, 0, 6)


def test_a_redelivered_entry_changes_nothing(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    """A worker that dies between commit and settlement."""
    put(redis_url, sent("a"), sent("b"), sent("a"), sent("c", opd="tidak-ada"))
    dead = Reader(redis, "ikm:", "dead")
    dead.prepare()
    batch = judged(context.judge(), dead.claim(100), dead.epoch())
    assert counting.count(context.engine, batch, context.judge_in, stopped_clock(NOW)) == (2, 1, 1)
    before = content(context.engine)
    context.settings = context.settings.model_copy(update={"takeover_idle": 0})
    assert count(context) == 4
    assert content(context.engine) == before
    assert ledger_totals(context.engine) == (4, 2, 1, 1)
    depth = context.inbox.depth()
    assert (depth.accepted, depth.settled, depth.entries) == (4, 4, 0)


def test_an_entry_settled_twice_is_settled_once(
    context: WorkerContext, redis_url: str, redis: Redis
) -> None:
    put(redis_url, sent("a"), sent("b"))
    claimed = context.inbox.claim(10)
    context.inbox.settle(claimed)
    context.inbox.settle(claimed)
    assert (context.inbox.depth().settled, context.inbox.depth().waiting) == (2, 0)


def test_the_same_id_in_another_channel_is_another_submission(
    context: WorkerContext, redis_url: str
) -> None:
    put(redis_url, sent("a"), sent("a", channel="kiosk"))
    count(context)
    assert ledger_totals(context.engine) == (2, 2, 0, 0)


def test_a_repetition_may_be_written_differently(context: WorkerContext, redis_url: str) -> None:
    first = sent("a")
    put(redis_url, first, first._replace(body=first.body.replace(b", ", b" ,\n")))
    count(context)
    assert ledger_totals(context.engine) == (2, 1, 1, 0)


@pytest.mark.parametrize("together", [True, False])
def test_an_id_that_comes_with_another_content_is_parked_once(
    context: WorkerContext, redis_url: str, together: bool
) -> None:
    items = [
        sent("a"),
        sent("a", answers=answers("111111111")),
        sent("a"),
        sent("a", answers=answers("111111111")),
    ]
    append(redis_url, *([entry(items)] if together else [entry([item]) for item in items]))
    count(context)
    assert reasons(context) == ["id-conflict"]
    assert ledger_totals(context.engine) == (4, 1, 2, 1)
    assert tally(context)[0][2] == sum((4, 3, 4, 4, 3, 4, 4, 3, 3))


@pytest.mark.parametrize("first_is_good", [True, False])
def test_of_equal_ids_in_one_request_the_first_one_counts(
    context: WorkerContext, redis_url: str, first_is_good: bool
) -> None:
    items = [sent("a"), sent("a", opd="tidak-ada")]
    append(redis_url, [parcel(items if first_is_good else items[::-1])])
    count(context)
    assert reasons(context) == (
        ["id-conflict"] if first_is_good else ["unknown-opd", "id-conflict"]
    )
    assert len(rows(context.engine, tables.response)) == int(first_is_good)


@pytest.mark.parametrize(
    "fields",
    [
        {"hello": "world"},
        {"e": b"x" * 16, "n": 1},
        {"e": b"x" * 16, "n": 1, "p": b"\xc1"},
        {"e": b"x" * 16, "n": 1, "p": b"\x90"},
        {"e": b"short", "n": 1, "p": packed()},
        {"e": b"x" * 16, "n": 2, "p": packed()},
        {
            "e": b"x" * 16,
            "n": 0,
            "p": packed(sizes=[], channels=[], received_us=[], receipts=b"", ids=[], bodies=[]),
        },
        {"e": b"x" * 16, "n": 1, "p": packed(receipts=b"rr")},
        {"e": b"x" * 16, "n": 1, "p": packed(ids=["\0"])},
        {"e": b"x" * 16, "n": 1, "p": packed(channels=["\0"])},
        {"e": b"x" * 16, "n": 1, "p": packed(received_us=[-1])},
        {"e": b"x" * 16, "n": 1, "p": packed(received_us=[2**62])},
        {"e": b"x" * 16, "n": 1, "p": packed(sizes=[2])},
        {
            "e": b"x" * 16,
            "n": 1,
            "p": packed(sizes=[2, -1], channels=["c", "c"], received_us=[1, 1]),
        },
        {"e": b"x" * 16, "n": 1, "p": packed(channels=["c", "c"])},
        {"e": b"x" * 16, "n": 1, "p": packed(bodies=[b"{}", b"{}"])},
    ],
)
def test_an_entry_that_this_product_did_not_write_is_parked_and_accounted_for(
    context: WorkerContext, redis_url: str, redis: Redis, fields: dict[Any, Any]
) -> None:
    put(redis_url, sent("a"))
    redis.xadd(STREAM, fields)
    put(redis_url, sent("b"))
    count(context)
    assert reasons(context) == ["unreadable-entry"]
    assert ledger_totals(context.engine) == (3, 2, 0, 1)
    assert (
        context.inbox.depth().accepted,
        context.inbox.depth().waiting,
        context.inbox.depth().entries,
    ) == (3, 0, 0)


@pytest.mark.parametrize("comment", [b'"\\u0000"', b'"\x00"', b'"\\ud800"'])
def test_text_that_postgresql_cannot_hold_is_parked(
    context: WorkerContext, redis_url: str, comment: bytes
) -> None:
    bad = sent("bad")
    put(redis_url, sent("a"), bad._replace(body=bad.body.replace(b'"Cepat dan ramah"', comment)))
    count(context)
    assert ledger_totals(context.engine) == (2, 1, 0, 1)


def test_an_entry_that_cannot_be_counted_is_parked_and_holds_up_no_other(
    context: WorkerContext, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the wire lets through some day: here a NUL in a comment."""
    judge = Judge.judge

    def careless(self: Judge, *arguments: Any) -> Judgement:
        return with_nul(judge(self, *arguments))

    monkeypatch.setattr(Judge, "judge", careless)
    append(
        redis_url,
        entry([sent("a")]),
        entry([sent("b"), sent("c", comment="NUL")]),
        entry([sent("d")]),
    )
    count(context)
    assert reasons(context) == ["uncountable", "uncountable"]
    assert ledger_totals(context.engine) == (4, 2, 0, 2)
    assert context.inbox.depth().entries == 0


def test_a_response_that_lost_its_receipt_cannot_stop_the_counting(
    context: WorkerContext, redis_url: str
) -> None:
    put(redis_url, sent("a"))
    count(context)
    with transaction(context.engine) as connection:
        connection.execute(sa.delete(tables.receipt))
    append(redis_url, entry([sent("a")]), entry([sent("b")]))
    with pytest.raises(psycopg.errors.UniqueViolation):
        count(context)
    put(redis_url, sent("c"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        count(context)
    assert reasons(context) == [], "the submission is not at fault"
    assert len(rows(context.engine, tables.response)) == 3
    assert context.inbox.depth().waiting == 1


def test_repetitions_after_the_registry_changed_are_still_repetitions(
    context: WorkerContext, redis_url: str
) -> None:
    late = sent("q", questionnaire="baru", answers={"Z": 3, "B": None, "A": 4})
    put(redis_url, late)
    count(context)
    assert reasons(context) == ["unknown-questionnaire"]
    unsur = [
        f'{{code: {code}, key: {code.lower()}, name: N, question: "?",'
        " options: [a, b, c, d], required: false}"
        for code in "ABZ"
    ]
    apply(
        context.engine, f"questionnaires: [{{code: baru, name: Baru, unsur: [{', '.join(unsur)}]}}]"
    )
    put(redis_url, late)
    count(context)
    assert ledger_totals(context.engine) == (2, 0, 1, 1)

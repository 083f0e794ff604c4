"""For all orders, repetitions, cuts, workers: same submissions, same tables (promise 2)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.aggregate.counting.rebuild import rebuild
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.verify.proof import verify
from services.aggregate.worker import drain as draining
from services.aggregate.worker.context import WorkerContext
from shared.domain.questionnaire import SKM_2017
from shared.domain.tally import Tally
from shared.inbox.audit import Audit
from shared.inbox.reader import Reader
from shared.storage import ledger, receipts, responses, tables
from shared.storage.engine import transaction
from shared.storage.tallies import day_tally
from tests.builders import stopped_clock, tally_of
from tests.integration.aggregate.counting.counting import (
    NOW,
    NOW_US,
    Sent,
    answers,
    append,
    apply,
    content,
    count,
    entry,
    ledger_totals,
    sent,
    worker_context,
)

WORKERS = 3
SCORES = ("444444444", "111111111", "443444433", "123412341")
SIX = range(6)
POOL = [
    *(
        sent(
            f"a{n}",
            answers=answers(SCORES[n % 4]),
            respondent={"sex": "LP"[n % 2], "age": n * 17},
        )
        for n in SIX
    ),
    *(
        sent(f"a{n}", channel="kiosk", opd="dinkes", layanan="puskesmas", respondent=...)
        for n in range(3)
    ),
    sent("midnight", submitted_at="2026-05-03T16:59:59Z"),
    sent("after", submitted_at="2026-05-03T17:00:00Z"),
    sent(
        "old",
        submitted_at="1921-03-04T00:00:00+07:07",
        respondent={"education": "SD", "occupation": "TNI"},
    ),
    sent("s1", opd="dinkes", layanan="lab", answers={"S1": 4, "S2": 2}),
    sent("s2", opd="dinkes", layanan="lab", answers={"S1": 1}),
    sent("named", questionnaire="singkat", answers={"S2": 3, "S1": 2}),
    sent("untimed", submitted_at=...),
    sent("opd", opd="tidak-ada"),
    sent("closed", layanan="kk"),
    sent("future", submitted_at="2026-05-09T00:00:00Z"),
    sent("version", questionnaire="skm-2030"),
]  # fmt: skip
STEPS = {
    "receipts": receipts,
    "responses": responses,
    "tallies": day_tally,
    "ledger": ledger,
    "Reader": Reader,
}
EMPTIED = (
    tables.receipt,
    tables.response,
    tables.parked,
    tables.day_tally,
    tables.inbox_entry,
    tables.ledger,
)


class Delivery(NamedTuple):
    """The submissions as they arrive, cut into entries, and how workers count them in batches."""

    entries: Sequence[Sequence[Sent]]
    workers: int
    batch: int


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    again = draw(st.lists(st.sampled_from(POOL), max_size=15))
    order = draw(st.permutations([*POOL, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=12)))
    entries = [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return Delivery(entries, draw(st.integers(1, WORKERS)), draw(st.sampled_from([1, 4, 10_000])))


@pytest.fixture
def contexts(database_url: str, redis_url: str) -> Iterator[list[WorkerContext]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(worker_context(database_url, redis_url, takeover_idle="0"))
            for _ in range(WORKERS)
        ]


def emptied(context: WorkerContext) -> None:
    context.redis.flushall()
    with transaction(context.engine) as connection:
        for table in (*EMPTIED, tables.opd_state, tables.rolling_ikm):
            connection.execute(sa.delete(table))
    context.cache.clear()


def counted(
    contexts: Sequence[WorkerContext], redis_url: str, entries: Sequence[Sequence[Sent]]
) -> dict[str, list[str]]:
    emptied(contexts[0])
    append(redis_url, *map(entry, entries))
    with ThreadPoolExecutor(len(contexts)) as pool:
        for done in [pool.submit(count, context) for context in contexts]:
            done.result(50)
    return content(contexts[0].engine)


@pytest.mark.timeout(300)
def test_any_order_repetition_cut_and_number_of_workers_gives_the_same_tables(
    contexts: list[WorkerContext], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "LINGER_MS", 10)
    apply(contexts[0].engine)
    expected = counted(contexts[:1], redis_url, [[item] for item in POOL])
    assert [len(expected[name]) for name in ("response", "parked", "receipt")] == [16, 4, 20]

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(deliveries())
    def check(delivery: Delivery) -> None:
        monkeypatch.setattr(draining, "BATCH", delivery.batch)
        written = counted(contexts[: delivery.workers], redis_url, delivery.entries)
        assert written == expected
        accepted = sum(map(len, delivery.entries))
        assert ledger_totals(contexts[0].engine) == (accepted, 16, accepted - 20, 4)
        assert contexts[0].inbox.depth().waiting == 0
        assert rebuild(contexts[0].engine).changed == 0
        assert content(contexts[0].engine) == expected
        refresh(contexts[0].engine, contexts[0].registry(), stopped_clock(NOW), Cache())
        assert not verify(contexts[0].engine, Audit(contexts[0].redis, "ikm:")).findings

    check()


def test_the_tables_are_what_the_domain_adds_up(
    contexts: list[WorkerContext], redis_url: str
) -> None:
    """The same sums by the domain's own tally, one response at a time."""
    apply(contexts[0].engine)
    counted(contexts[:1], redis_url, [POOL[:6]])
    total = Tally.zero(SKM_2017.size)
    for index in range(6):
        total += tally_of([int(digit) for digit in SCORES[index % 4]], SKM_2017.weights)
    table = tables.day_tally.c
    query = sa.select(table.n, table.counts, table.complete, table.total, table.total_sq).where(
        table.facet == "all"
    )
    with contexts[0].engine.connect() as connection:
        (row,) = connection.execute(query)
    assert Tally(row.n, tuple(row.counts), row.complete, row.total, row.total_sq) == total


def test_a_repetition_received_later_changes_nothing(
    contexts: list[WorkerContext], redis_url: str
) -> None:
    apply(contexts[0].engine)
    once = counted(contexts[:1], redis_url, [POOL])
    later = [item._replace(received_us=NOW_US + 60_000_000) for item in POOL]
    append(redis_url, entry(later))
    count(contexts[0])
    assert content(contexts[0].engine) == once


@pytest.mark.parametrize(
    "step",
    ["receipts.copy", "responses.copy", "tallies.add_deltas", "ledger.enter", "Reader.settle"],
)
def test_a_crash_between_claim_and_settlement_is_harmless(
    contexts: list[WorkerContext], redis_url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    apply(contexts[0].engine)
    expected = counted(contexts[:1], redis_url, [[item] for item in POOL])
    emptied(contexts[0])
    append(redis_url, entry(POOL))
    with monkeypatch.context() as patched:
        module, name = step.split(".")
        patched.setattr(STEPS[module], name, _crash)
        with pytest.raises(InterruptedError):
            count(contexts[0])
    assert contexts[0].inbox.depth().waiting == len(POOL)
    count(contexts[1])
    assert content(contexts[0].engine) == expected
    assert ledger_totals(contexts[0].engine) == (20, 16, 0, 4)


def _crash(*_: object) -> None:
    raise InterruptedError

"""An import from its pieces to the inbox: repeated, killed half-way, taken away, hopeless."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from redis import Redis

from services.aggregate.imports import running
from services.aggregate.imports.delivery import Delivery
from services.aggregate.imports.running import Workplace, run_next
from services.aggregate.worker.context import WorkerContext
from shared.connections import worker_redis
from shared.inbox.entry import Parcel
from shared.inbox.sender import Sender
from shared.storage import tables
from shared.storage.engine import transaction
from shared.storage.imports import files, holding
from tests.integration.aggregate.counting.counting import apply, count, rows, worker_context
from tests.integration.aggregate.imports.survey_file import line, put_file, sheet, told


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url) as worker:
        apply(worker.engine)
        yield worker


@pytest.fixture
def place(context: WorkerContext, redis_url: str) -> Iterator[Workplace]:
    with worker_redis(redis_url) as redis:
        yield Workplace(context.engine, redis, context.settings, lambda: None)


def end_hold(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(sa.text("UPDATE import_file SET held_until = now() - interval '1 s'"))


def responses(engine: sa.Engine) -> list[str]:
    return rows(engine, tables.response)


def test_good_rows_are_counted_and_bad_ones_reported_with_line_and_reason(
    context: WorkerContext, place: Workplace
) -> None:
    content = sheet(line(1), line(2, "443444439"), line(3), line(3), "", line(4, "4434"))
    import_id = put_file(context.engine, content)
    assert run_next(place)
    status = told(context.engine, import_id)
    assert (status["state"], status["accepted"], status["refused"]) == ("done", 3, 2)
    assert status["read_bytes"] == status["bytes"] == len(content)
    assert status["assumed"]["delimiter"] == ";"
    with context.engine.connect() as connection:
        report = files.report(connection, import_id)
    assert [row["line"] for row in report] == [3, 7]
    assert report[0]["violations"][0]["pointer"] == "/U9"
    assert not rows(context.engine, tables.import_piece)
    count(context)
    assert len(responses(context.engine)) == 3


def test_the_same_file_twice_adds_nothing_and_equal_rows_of_a_file_count(
    context: WorkerContext, place: Workplace
) -> None:
    content = sheet(line(1), line(1), line(2))
    for _ in range(2):
        put_file(context.engine, content)
        assert run_next(place)
        count(context)
        assert len(responses(context.engine)) == 3
    assert not run_next(place)


def test_what_was_killed_half_way_goes_on_and_nothing_is_lost_or_doubled(
    context: WorkerContext, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 10)
    bad = line(0, "999999999")
    import_id = put_file(
        context.engine, sheet(*(line(n % 7) if n % 9 else bad for n in range(1, 101)))
    )
    appended = Sender.append
    deliveries = 0

    def killed_every_third_time(sender: Sender, parcel: Parcel) -> int:
        nonlocal deliveries
        deliveries += 1
        waiting = appended(sender, parcel)
        if deliveries % 3 == 0:
            raise KeyboardInterrupt
        return waiting

    monkeypatch.setattr(Sender, "append", killed_every_third_time)
    for _ in range(20):
        try:
            run_next(place)
        except KeyboardInterrupt:
            end_hold(context.engine)
    status = told(context.engine, import_id)
    assert (status["state"], status["accepted"], status["refused"]) == ("done", 89, 11)
    count(context)
    assert len(responses(context.engine)) == 89


def test_who_lost_an_import_is_not_heard_any_more(context: WorkerContext, place: Workplace) -> None:
    import_id = put_file(context.engine, sheet(line(1)))
    with transaction(context.engine) as connection:
        claimed = holding.claim(connection, import_id)
    assert claimed is not None
    end_hold(context.engine)
    assert run_next(place)
    with transaction(context.engine) as connection:
        assert not holding.advance(connection, claimed, holding.Advance(5, 5, 5, ()))
        holding.finish(connection, claimed, ("unreadable", "?"))
    assert told(context.engine, import_id)["state"] == "done"


def test_a_cancelled_import_ends_between_two_batches(
    context: WorkerContext, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 1)
    import_id = put_file(context.engine, sheet(line(1), line(2), line(3)))
    deliver = Delivery.deliver

    def cancelled(delivery: Delivery, *arguments: Any) -> None:
        deliver(delivery, *arguments)
        with transaction(context.engine) as connection:
            files.cancel(connection, import_id)

    monkeypatch.setattr(Delivery, "deliver", cancelled)
    assert run_next(place)
    assert told(context.engine, import_id)["state"] == "cancelled"
    with transaction(context.engine) as connection:
        files.tidy(connection)
    assert not rows(context.engine, tables.import_piece)
    count(context)
    assert len(responses(context.engine)) == 1


def test_a_file_on_which_every_reader_is_lost_fails(
    context: WorkerContext, place: Workplace
) -> None:
    import_id = put_file(context.engine, sheet(line(1)))
    for _ in range(holding.TRIES_MAX):
        with transaction(context.engine) as connection:
            assert holding.claim(connection, import_id) is not None
        end_hold(context.engine)
    assert run_next(place)
    status = told(context.engine, import_id)
    assert (status["state"], status["reason"]) == ("failed", "unreadable")


def test_a_file_that_is_no_table_fails_and_says_why(
    context: WorkerContext, place: Workplace
) -> None:
    import_id = put_file(context.engine, b"PK\x03\x04 this is no spreadsheet")
    assert run_next(place)
    status = told(context.engine, import_id)
    assert (status["state"], status["reason"]) == ("failed", "unreadable")
    assert "XLSX" in status["detail"]


def test_a_dry_run_judges_and_delivers_nothing(
    context: WorkerContext, place: Workplace, redis_url: str
) -> None:
    import_id = put_file(context.engine, sheet(line(1), line(2, "9")), dry_run=True)
    assert run_next(place)
    status = told(context.engine, import_id)
    assert (status["accepted"], status["refused"]) == (1, 1)
    with Redis.from_url(redis_url) as redis:
        assert Sender(redis, "ikm:").waiting() == 0


def test_a_full_inbox_is_waited_for(
    context: WorkerContext, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.aggregate.imports.delivery.WAITING_MAX", 1)
    pauses: list[float] = []

    def pause(_: Delivery, pause_s: float) -> None:
        pauses.append(pause_s)
        count(context)

    monkeypatch.setattr(Delivery, "_pause", pause)
    import_id = put_file(context.engine, sheet(line(1), line(2)))
    assert run_next(place)
    assert pauses
    assert told(context.engine, import_id)["accepted"] == 2

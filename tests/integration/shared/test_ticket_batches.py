"""Serials in a real PostgreSQL: no two batches share one, whoever reserves at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from shared.domain.submission.ticket import SERIALS
from shared.storage.engine import opened, transaction
from shared.storage.registry.ticket_batches import NoSerialLeft, reserve

NOW = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with opened(database_url) as engine:
        yield engine


def reserved(engine: sa.Engine, size: int) -> range:
    with transaction(engine) as connection:
        first = reserve(connection, "disdukcapil", "ktp-el", size, NOW)
    return range(first, first + size)


def test_batches_follow_each_other(engine: sa.Engine) -> None:
    assert [reserved(engine, size) for size in (1, 500, 2)] == [
        range(1),
        range(1, 501),
        range(501, 503),
    ]


def test_those_who_reserve_at_once_share_no_serial(engine: sa.Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda size: reserved(engine, size), range(1, 13)))
    serials = [serial for batch in batches for serial in batch]
    assert sorted(serials) == list(range(sum(range(1, 13))))


def test_a_batch_that_is_given_up_leaves_its_serials(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        reserve(connection, "disdukcapil", "ktp-el", 5, NOW)
        connection.rollback()
    assert reserved(engine, 1) == range(1)


def test_the_last_serial_can_be_given_out_and_no_other(engine: sa.Engine) -> None:
    reserved(engine, SERIALS - 3)
    with pytest.raises(NoSerialLeft, match="3, not 4"):
        reserved(engine, 4)
    assert reserved(engine, 3)[-1] == SERIALS - 1

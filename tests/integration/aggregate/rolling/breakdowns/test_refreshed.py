"""A refresh publishes breakdowns when a day begins after a triwulan was closed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from services.aggregate.rolling.refresh import Cache, refresh
from shared.storage.engine import opened, transaction
from shared.storage.registry import stored_registry
from shared.storage.released import breakdowns
from tests.builders import stopped_clock
from tests.integration.aggregate import tally_seed as seed

MARCH = date(2026, 3, 5)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with opened(database_url) as engine:
        with transaction(engine) as connection:
            seed.registry(connection, {"dukcapil": {"ktp-el": 12000}})
        yield engine


def refreshed(engine: sa.Engine, now: datetime) -> dict[str, int]:
    """How many the breakdown by channel is about, by OPD, after a refresh at this time."""
    with engine.connect() as connection:
        registry = stored_registry.load(connection)
    refresh(engine, registry, stopped_clock(now), Cache())
    with engine.connect() as connection:
        return {
            row.opd: sum(cell.vector[0] for cell in row.cells)
            for row in breakdowns.read_breakdowns(connection, ["2026-Q1"], facets=["channel"])
        }


def count(engine: sa.Engine, n: int) -> None:
    with transaction(engine) as connection:
        for cell in (("all", ""), ("channel", "loket")):
            answers = ["443444433"] * n
            seed.count(
                connection, "dukcapil", "ktp-el", MARCH, answers, today=date(2026, 4, 7), cell=cell
            )


def test_it_does_so_when_the_close_comes_and_then_once_a_day(engine: sa.Engine) -> None:
    count(engine, 12)
    assert refreshed(engine, datetime(2026, 4, 7, 5, tzinfo=UTC)) == {}
    assert refreshed(engine, datetime(2026, 4, 8, 5, tzinfo=UTC)) == {"": 12, "dukcapil": 12}
    count(engine, 7)
    assert refreshed(engine, datetime(2026, 4, 8, 6, tzinfo=UTC)) == {"": 12, "dukcapil": 12}
    assert refreshed(engine, datetime(2026, 4, 8, 17, tzinfo=UTC)) == {"": 19, "dukcapil": 19}

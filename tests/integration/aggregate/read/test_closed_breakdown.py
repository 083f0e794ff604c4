"""The public breakdown of closed periods, as sums of what was published of their triwulan."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from shared.domain.questionnaire import SKM_2017
from shared.storage import tables
from shared.storage.engine import transaction
from shared.storage.released import breakdowns
from shared.storage.released.breakdowns import ReleasedBreakdown, ReleasedCell
from shared.storage.rolling import INSTANSI
from tests.integration.aggregate.read.read_service import City, Read, city

NOW = datetime(2026, 7, 8, tzinfo=UTC)
BY_SEX = "/v1/opd/dinkes/breakdown?by=sex&window="


def published(
    opd: str, period: str, people: Mapping[str, int], withheld: str = ""
) -> ReleasedBreakdown:
    """A breakdown by sex of people who all gave fours."""
    cells = [
        ReleasedCell(value, SKM_2017.code, (n, n, 36 * n, 36 * 36 * n, *(0, 0, 0, n) * 9))
        for value, n in people.items()
    ]
    return ReleasedBreakdown(
        opd, period, "sex", 1, [*withheld], {"part#1": people}, cells, NOW if cells else None
    )


@pytest.fixture
def public(database_url: str) -> Iterator[Read]:
    """Two triwulan of an OPD and of the instansi; the third quarter is not closed."""
    with city(database_url) as town:
        publish(
            town,
            published("dinkes", "2026-Q1", {"L": 6, "P": 7, "": 3}, "L"),
            published("dinkes", "2026-Q2", {"P": 8}),
            published(INSTANSI, "2026-Q1", {"L": 16, "P": 17, "": 13}),
        )
        town.refresh()
        with transaction(town.engine) as connection:
            connection.execute(sa.update(tables.opd_state).values(closed_to=date(2026, 6, 30)))
        with town.served() as read:
            yield read.with_key(None)


def publish(town: City, *rows: ReleasedBreakdown) -> None:
    with transaction(town.engine) as connection:
        breakdowns.replace_breakdowns(connection, rows)


def cells(body: Mapping[str, Any]) -> list[tuple[str | None, int | None, float | None]]:
    return [(cell["value"], cell["respondents"], cell["ikm"]) for cell in body["cells"]]


def test_a_triwulan_is_what_was_published(public: Read) -> None:
    body = public.get(BY_SEX + "2026-Q1").json()
    assert cells(body) == [("L", None, None), ("P", 7, 100.0), (None, 3, 100.0)]
    assert (body["view"], body["withheld"]) == ("public", True)
    assert body["released_at"] == "2026-07-08T07:00:00+07:00"


def test_a_semester_shows_the_cells_that_each_triwulan_shows(public: Read) -> None:
    body = public.get(BY_SEX + "2026-S1").json()
    assert cells(body) == [("L", None, None), ("P", 15, 100.0), (None, 3, 100.0)]


def test_the_instansi_is_broken_down_too(public: Read) -> None:
    body = public.get("/v1/breakdown?by=sex&window=2026-Q1").json()
    assert (body["opd"], body["name"]) == (None, "Kota Contoh")
    assert cells(body) == [("L", 16, 100.0), ("P", 17, 100.0), (None, 13, 100.0)]


@pytest.mark.parametrize("window", ["2026-Q3", "2026-S2", "2026", "2026-03", "12m", "all", "30d"])
def test_what_is_not_closed_or_no_triwulan_needs_a_key(public: Read, window: str) -> None:
    for path in (BY_SEX + window, f"/v1/breakdown?by=sex&window={window}"):
        answer = public.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "read-key-needed"), path


def test_a_period_without_a_breakdown_has_no_cells(public: Read) -> None:
    body = public.get(BY_SEX + "2025").json()
    assert (body["cells"], body["withheld"], body["released_at"]) == ([], False, None)


def test_the_instansi_is_not_broken_down_by_layanan(public: Read) -> None:
    assert public.get("/v1/breakdown?by=layanan&window=2026-Q1").status_code == 422

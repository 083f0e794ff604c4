"""The index of responses with a ticket: the same figures, of those alone, for who may read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.storage import tables
from shared.storage.engine import transaction
from tests.integration.aggregate import tally_seed as seed
from tests.integration.aggregate.read.read_service import TODAY, City, Read, city

YESTERDAY = TODAY - timedelta(days=1)
INDEX = "/v1/opd/dinkes/ikm"
TICKETED, OTHERS = ("444444444", "333333333"), ("111111111",) * 3


@pytest.fixture
def read(database_url: str) -> Iterator[Read]:
    """Two responses with a ticket and three without; of a second layanan one with."""
    with city(database_url) as town:
        with transaction(town.engine) as connection:
            kinds = {"tiket": "tiket", "loket": "api", "formulir": "form"}
            rows = [{"name": name, "kind": kind} for name, kind in kinds.items()]
            connection.execute(sa.insert(tables.channel), rows)
        count(town, "farmasi", "tiket", TICKETED)
        count(town, "farmasi", "formulir", OTHERS)
        count(town, "imunisasi", "tiket", ("222222222",))
        count(town, "imunisasi", "loket", ("111111111",))
        town.refresh()
        with town.served() as client:
            yield client


def count(town: City, layanan: str, channel: str, responses: tuple[str, ...]) -> None:
    with transaction(town.engine) as connection:
        for cell in (("all", ""), ("channel", channel)):
            seed.count(connection, "dinkes", layanan, YESTERDAY, responses, today=TODAY, cell=cell)


def of(read: Read, query: str) -> dict[str, Any]:
    answer = read.get(f"{INDEX}?{query}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    body: dict[str, Any] = answer.json()
    return body


def test_it_is_of_responses_with_a_ticket_alone(read: Read) -> None:
    body = of(read, "window=30d&verified=true")
    assert (body["respondents"], body["ikm"], body["verified"]) == (3, 75.0, True)
    assert body["sample"]["achieved"] == 3
    body = of(read, "layanan=farmasi&verified=true")
    assert (body["respondents"], body["ikm"], body["mutu"]) == (2, 87.5, "B")
    assert (body["layanan"], body["unsur"][0]["nrr"]) == ("farmasi", 3.5)


def test_days_cut_it_like_any_index(read: Read) -> None:
    assert of(read, f"from={YESTERDAY}&to={YESTERDAY}&verified=true")["respondents"] == 3
    nobody = of(read, f"from={TODAY}&verified=true")
    assert (nobody["respondents"], nobody["ikm"], nobody["updated_at"]) == (0, None, None)


def test_without_the_wish_it_is_everybodys_and_says_no_word_of_it(read: Read) -> None:
    everybody = of(read, "window=30d")
    assert everybody["respondents"] == 7
    assert "verified" not in everybody
    assert of(read, "window=30d&verified=false") == everybody


def test_it_has_every_member_of_an_index(read: Read) -> None:
    assert of(read, "verified=true").keys() - {"verified"} == of(read, "verified=false").keys()


@pytest.mark.parametrize("wish", ["1", "True", "yes", ""])
def test_another_spelling_is_refused(read: Read, wish: str) -> None:
    assert read.get(f"{INDEX}?verified={wish}").status_code == 422


def test_the_public_is_told_why_not(read: Read) -> None:
    answer = replace(read, key=None).get(f"{INDEX}?verified=true")
    assert (answer.status_code, answer.json()["code"]) == (401, "read-key-needed")
    assert "five or more respondents" in answer.json()["detail"]

"""After the close of a month its public figure is the internal one, to the last integer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.integration.aggregate.read.read_service import City, Read, city

OCTOBER = date(2026, 10, 20)
LAST_DAY_OPEN = datetime(2026, 11, 7, 5, tzinfo=UTC)
FIRST_DAY_CLOSED = datetime(2026, 11, 7, 17, 0, 1, tzinfo=UTC)  # midnight in Jakarta
FARMASI = ["443444433", "1234-1234", "333333333", "444444444", "222222222", "41414141-"]
OF_A_VIEW = ("view", "updated_at", "released_at", "withheld")


@pytest.fixture
def town(database_url: str) -> Iterator[City]:
    with city(database_url) as town:
        yield town


def month(read: Read, opd: str = "dinkes") -> dict[str, Any]:
    body: dict[str, Any] = read.get(f"/v1/opd/{opd}/ikm?window=2026-10").json()
    return body


def figures(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in OF_A_VIEW}


def answered(town: City, imunisasi: Sequence[str]) -> None:
    for answer in FARMASI:  # each by itself: the last ones are held back until the close
        town.count("dinkes", "farmasi", answer, day=OCTOBER)
        town.refresh()
    if imunisasi:
        town.count("dinkes", "imunisasi", *imunisasi, day=OCTOBER)
    town.now = LAST_DAY_OPEN
    town.refresh()


@pytest.mark.parametrize("small", [0, 1, 4, 5, 6])
def test_it_lacks_nothing_but_one_to_four_of_small_layanan(town: City, small: int) -> None:
    answered(town, ["222212222"] * small)
    with town.served() as read:
        assert month(read.with_key(None))["respondents"] in {None, 5}
    town.now = FIRST_DAY_CLOSED
    town.refresh()
    with town.served() as read:
        public, internal = month(read.with_key(None)), month(read)
        assert (public["view"], internal["view"]) == ("public", "internal")
        assert internal["respondents"] == len(FARMASI) + small
        assert public["withheld"] == (0 < small < 5)
        if not public["withheld"]:
            assert figures(public) == figures(internal)
            return
        of_farmasi = read.get("/v1/opd/dinkes/ikm?window=2026-10&layanan=farmasi").json()
        for name in ("respondents", "ikm", "mutu", "unsur", "comparison"):
            assert public[name] == of_farmasi[name]


def test_small_layanan_are_pooled_when_they_are_five_together(town: City) -> None:
    """Two of one layanan, three of the other: neither is public, both together are."""
    town.count("dinkes", "farmasi", *FARMASI[:2], day=OCTOBER)
    town.count("dinkes", "imunisasi", *FARMASI[2:5], day=OCTOBER)
    town.now = FIRST_DAY_CLOSED
    town.refresh()
    with town.served() as read:
        public, internal = month(read.with_key(None)), month(read)
        assert internal["respondents"] == 5
        assert not public["withheld"]
        assert figures(public) == figures(internal)
        path = "/v1/opd/dinkes/ikm?window=2026-10&layanan=farmasi"
        of_farmasi = read.with_key(None).get(path).json()
        assert (of_farmasi["respondents"], of_farmasi["withheld"]) == (None, True)

"""Everything that the public is told, at any time, is a sum of whole release steps."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count as counter
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.aggregate.worker import drain as draining
from shared.domain.release import POOL, STEP
from shared.domain.rounding import half_up
from shared.domain.window import Window
from shared.storage import tables
from shared.storage.engine import transaction
from tests.integration.aggregate.counting.counting import Sent, answers, sent
from tests.integration.aggregate.read.public_city import (
    LAYANAN,
    NOT_PUBLIC,
    Figure,
    Observer,
    PublicCity,
    public_city,
)

START = datetime(2026, 5, 25, 3, tzinfo=UTC)
FACETS = ("sex", "channel")
EMPTIED = (
    *(tables.receipt, tables.response, tables.parked, tables.day_tally, tables.rolling_ikm),
    *(tables.released_tally, tables.released_ikm, tables.released_breakdown),
    *(tables.inbox_entry, tables.ledger, tables.inbox_horizon),
)
EXAMPLES = int(os.environ.get("IKM_TEST_EXAMPLES", "2"))  # some hundred, to search for long
ids = counter()


class Arrival(NamedTuple):
    """Some responses that come together: to which layanan, from how many days ago."""

    opd: str
    layanan: str
    days_ago: int
    scores: Sequence[int]


class Turn(NamedTuple):
    """Some days pass, then some responses come."""

    days: int
    arrivals: Sequence[Arrival]


places = st.sampled_from([(opd, code) for opd, codes in LAYANAN.items() for code in codes])
some_scores = st.lists(st.integers(1, 4), min_size=1, max_size=9)
arrivals = st.builds(
    lambda place, days_ago, scores: Arrival(place[0], place[1], days_ago, scores),
    places,
    st.sampled_from([0, 0, 0, 20, 45, 80]),
    some_scores,
)
turns = st.builds(
    Turn, st.sampled_from([0, 0, 1, 14, 40]), st.lists(arrivals, min_size=2, max_size=6)
)


@pytest.fixture
def city(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PublicCity]:
    monkeypatch.setattr(draining, "LINGER_MS", 5)
    with public_city(database_url, redis_url, START) as city:
        yield city


def begin_again(city: PublicCity) -> None:
    """Empty everything but the registry."""
    city.now = START
    city.context.redis.flushall()
    city.context.cache.clear()
    city.cache.clear()
    with transaction(city.context.engine) as connection:
        for table in EMPTIED:
            connection.execute(sa.delete(table))
        reset = {"refreshed": 0, "as_of": None, "closed_to": None}
        connection.execute(sa.update(tables.opd_state).values(reset))


def responses(arrival: Arrival, now: datetime) -> list[Sent]:
    """What is sent: one score for all unsur, men and women in turn."""
    answered_at = (now - timedelta(days=arrival.days_ago)).isoformat()
    sent_responses = []
    for score in arrival.scores:
        number = next(ids)
        digits = {"S1": score, "S2": 4} if arrival.layanan == "lab" else answers(f"{score}" * 9)
        sent_responses.append(
            sent(
                f"r{number}",
                received_us=round(now.timestamp() * 1_000_000),
                opd=arrival.opd,
                layanan=arrival.layanan,
                answers=digits,
                submitted_at=answered_at,
                respondent={"sex": "LP"[number % 2]} if number % 3 else ...,
            )
        )
    return sent_responses


def check_index(body: Mapping[str, Any], figure: Figure, city: PublicCity, log: Observer) -> None:
    """An index is that of the steps; without any it says nothing."""
    n, scores = log.sum_of(figure, city.context.registry())
    assert body["respondents"] == (n or None), (figure, body)
    if not n:
        assert body["withheld"]
        assert body["ikm"] is None
    for unsur in body.get("unsur") or ():
        counts = scores.get(unsur["key"], [0] * 4)
        answered = sum(counts)
        assert (unsur["answered"] or 0) == answered, (figure, unsur)
        if answered:
            total = sum(score * number for score, number in enumerate(counts, start=1))
            assert Decimal(str(unsur["nrr"])) == half_up(Fraction(total, answered), 3)


def check_windows(city: PublicCity, log: Observer) -> None:
    """The index of all, of every OPD and of every layanan; the breakdown by layanan."""
    figures: dict[str, Figure] = {}
    for window in city.windows():
        figures[f"/v1/ikm?window={window.name}"] = Figure(None, None, window)
        for opd, codes in LAYANAN.items():
            path = f"/v1/opd/{opd}/ikm?window={window.name}"
            figures[path] = Figure(opd, None, window)
            figures |= {f"{path}&layanan={code}": Figure(opd, code, window) for code in codes}
    for path, answer in city.ask(figures).items():
        figure, body = figures[path], answer.json()
        assert answer.status_code == 200, (path, body)
        if figure.opd is None:
            check_index(body["instansi"], figure, city, log)
            for line in body["opd"]:
                check_index(line, figure._replace(opd=line["code"]), city, log)
        else:
            check_index(body, figure, city, log)
    check_by_layanan(city, log)


def check_by_layanan(city: PublicCity, log: Observer) -> None:
    paths = {
        f"/v1/opd/{opd}/breakdown?by=layanan&window={window.name}": (opd, window)
        for opd in LAYANAN
        for window in city.windows()[::3]
    }
    for path, answer in city.ask(paths).items():
        opd, window = paths[path]
        for cell in answer.json()["cells"]:
            figure = Figure(opd, cell["value"] or POOL, window)
            n, _ = log.sum_of(figure, city.context.registry())
            assert cell["respondents"] == (n or None), (path, cell)


def check_trends(city: PublicCity, log: Observer) -> None:
    """Every point of every trend."""
    paths: dict[str, tuple[str, str | None]] = {}
    for opd, codes in LAYANAN.items():
        path = f"/v1/opd/{opd}/trend"
        paths[path] = (opd, None)
        paths |= {f"{path}?layanan={code}": (opd, code) for code in codes}
    for path, answer in city.ask(paths).items():
        for point in answer.json()["series"]:
            days = [date.fromisoformat(point[end]) for end in ("from", "to")]
            figure = Figure(*paths[path], Window("a month", *days))
            n, _ = log.sum_of(figure, city.context.registry())
            assert point["respondents"] == (n or None), (path, point)


def check_breakdowns(city: PublicCity, log: Observer) -> None:
    """Cells of five or more, and five or more or nobody in what the released total has beyond."""
    paths: dict[str, Figure] = {}
    for window in city.windows():
        for facet in FACETS if window.name[4:6] in {"", "-S", "-Q"} else ("sex",):
            query = f"breakdown?by={facet}&window={window.name}"
            paths[f"/v1/{query}"] = Figure(None, None, window)
            paths |= {f"/v1/opd/{opd}/{query}": Figure(opd, None, window) for opd in LAYANAN}
    for path, answer in city.ask(paths).items():
        if answer.status_code == 200:
            n, _ = log.sum_of(paths[path], city.context.registry())
            check_cells(answer, n)
        else:
            assert answer.status_code == 401, path


def check_cells(answer: httpx.Response, released: int) -> None:
    shown = [cell["respondents"] for cell in answer.json()["cells"] if not cell["withheld"]]
    rest = released - sum(shown)
    assert rest == 0 or rest >= STEP, (answer.url, answer.json())
    is_triwulan = "Q" in answer.json()["window"]["name"]
    assert not is_triwulan or answer.json()["opd"] is None or min(shown, default=STEP) >= STEP


def told(city: PublicCity) -> dict[str, tuple[bytes, str | None]]:
    """Some answers as they are sent, with their tags: nothing in them may move between steps."""
    paths = [
        "/",
        "/?window=all",
        "/v1/ikm?window=12m",
        "/v1/opd/dinkes/ikm",
        "/v1/opd/dinkes/trend",
    ]
    asked = city.ask(paths)
    return {path: (answer.content, answer.headers.get("etag")) for path, answer in asked.items()}


def check_refusals(city: PublicCity) -> None:
    """What moves with a single response needs a key."""
    queries = [f"window={name}" for name in NOT_PUBLIC] + ["from=2026-05-01", "to=2026-06-01"]
    paths = [
        f"{path}?{query}" for path in ("/v1/ikm", "/v1/opd/dinkes/ikm") for query in queries
    ] + [f"/v1/opd/dinkes/trend?step={step}" for step in ("day", "week")]
    paths += ["/metrics", "/v1/opd/dinkes/breakdown?by=sex&window=all"]
    for path, answer in city.ask(paths).items():
        assert answer.status_code == 401, path


@pytest.mark.timeout(600)
def test_every_public_tally_is_a_sum_of_whole_steps(city: PublicCity) -> None:
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(turns, min_size=3, max_size=4))
    def check(events: Sequence[Turn]) -> None:
        begin_again(city)
        log = Observer()
        city.refresh()
        for turn in events:
            city.now += timedelta(days=turn.days)
            city.refresh()
            log.look(city.context)
            before = told(city)
            items = [item for arrival in turn.arrivals for item in responses(arrival, city.now)]
            city.counted(*items)
            if not log.look(city.context):
                assert told(city) == before
            check_windows(city, log)
            check_trends(city, log)
            check_breakdowns(city, log)
        check_refusals(city)

    check()

"""The citizen's page over HTTP, with a real Redis behind it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from redis import Redis

from services.ingest.form.limits import AddressLimit
from shared.connections import worker_redis
from shared.domain.submission.ticket import Ticket, ticket_code
from shared.registry import released_board
from shared.registry.released_board import ReleasedHeadline
from shared.registry.snapshot import Channel, Registry
from tests.builders import registry
from tests.integration.ingest.ingest_service import PREFIX, eventually, serving, stored, tell

PATH = "/s/disdukcapil/ktp-el"
NINE = {f"U{number}": score for number, score in enumerate("443444433", start=1)}


def with_forms(*, ticket_required: bool = False) -> Registry:
    """The registry with a channel of the citizens' page and one of tickets."""
    base = registry()
    channels = {
        **base.channels,
        "formulir": Channel("formulir", "form"),
        "tiket": Channel("tiket", "tiket"),
    }
    opd = {
        **base.opd,
        "disdukcapil": replace(base.opd["disdukcapil"], ticket_required=ticket_required),
    }
    return replace(base, channels=channels, opd=opd)


@pytest.fixture
def client(redis_url: str) -> Iterator[httpx.Client]:
    tell(redis_url, with_forms())
    with serving(redis_url) as service:
        yield service


@pytest.fixture
def inbox(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as connection:
        yield connection


def token_of(page: httpx.Response) -> str:
    """The token of a page."""
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    return token[1]


def fields(client: httpx.Client, path: str = PATH) -> dict[str, str]:
    """All that a filled page sends."""
    return {"token": token_of(client.get(path)), "n": "0", **NINE}


def test_a_page_that_is_sent_twice_has_one_id(client: httpx.Client, inbox: Redis) -> None:
    filled = {**fields(client), "sex": "P", "age": "34", "comment": "Cepat dan ramah"}
    first, second = (client.post(PATH, data=filled) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    receipts = {*re.findall(r"<code>(.+?)</code>", first.text + second.text)}
    assert len(receipts) == 1
    assert len(set(stored(inbox))) == 1


def test_what_is_missing_is_named_and_the_rest_is_kept(client: httpx.Client, inbox: Redis) -> None:
    filled = {**fields(client), "comment": "<b>baik</b>"}
    del filled["U5"]
    page = client.post(PATH, data=filled)
    assert page.status_code == 422
    assert 'href="#U5"' in page.text
    assert page.text.count(" checked") == 8
    assert "&lt;b&gt;baik" in page.text
    assert token_of(page) == filled["token"]
    assert stored(inbox) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": "x"}, 403),
        ({"token": ""}, 403),
        ({"n": "10"}, 403),
        ({"n": "-1"}, 403),
        ({"website": "http://x"}, 422),
        ({"U1": "5"}, 422),
        ({"U1": "²"}, 422),
        ({"age": "999"}, 422),
        ({"comment": "x" * 2001}, 422),
        ({"comment": "x" * 70_000}, 422),
        ({"ticket": "AAAA-BBBB"}, 422),
        ({"point": "a b"}, 422),
    ],
)
def test_what_cannot_be_taken_is_told_by_a_page(
    client: httpx.Client, inbox: Redis, changes: dict[str, str], status: int
) -> None:
    page = client.post(PATH, data={**fields(client), **changes})
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert stored(inbox) == []


def test_the_pages_say_what_they_may_load(client: httpx.Client) -> None:
    for path in ("/s/disdukcapil", PATH, f"{PATH}?lang=en", "/s/tidak-ada/x", "/s/tidak-ada"):
        page = client.get(path)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "set-cookie" not in page.headers
        assert "<script>" not in page.text
        for address in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
            assert address.startswith("/s/")
            assert client.get(address).status_code in {200, 404}


def test_unknown_files_and_ways_are_no_failures(client: httpx.Client) -> None:
    assert client.get("/s/static/nothing.js").status_code == 404
    assert client.put(PATH).status_code == 405
    assert client.get(f"{PATH}?p={'x' * 99}&t={'y' * 999}&lang=zz").status_code == 200
    assert 'value="loket-3"' in client.get(f"{PATH}?p=loket-3").text


def test_who_has_no_channel_of_a_form_has_no_page(redis_url: str) -> None:
    tell(redis_url)
    with serving(redis_url) as client:
        assert client.get(PATH).status_code == 404
        assert client.post(PATH, data={}).status_code == 404


def test_a_ticket_counts_once_from_whatever_page(redis_url: str, inbox: Redis) -> None:
    snapshot = with_forms(ticket_required=True)
    tell(redis_url, snapshot)
    code = ticket_code(snapshot.secret, Ticket(7, "disdukcapil", "ktp-el"))
    with serving(redis_url) as client:
        assert client.post(PATH, data=fields(client)).status_code == 422
        for _ in range(2):
            path = f"{PATH}?t={code}"
            assert f'value="{code}"' in client.get(path).text
            page = client.post(PATH, data={**fields(client, path), "ticket": code})
            assert page.status_code == 200
    assert len(set(stored(inbox))) == 1


def test_one_address_has_a_limit(redis_url: str) -> None:
    tell(redis_url, with_forms())
    with serving(redis_url, form_hourly="2") as client:
        filled = fields(client)
        answers = [client.post(PATH, data=filled).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert AddressLimit(1).admits("192.0.2.7")


def test_the_page_that_thanks_shows_what_was_released(redis_url: str, inbox: Redis) -> None:
    tell(redis_url, with_forms())
    headline = ReleasedHeadline("disdukcapil", "ktp-el", "12m", Decimal("88.31"), "A", 1234)
    assert released_board.publish(inbox, PREFIX, [headline])
    assert not released_board.publish(inbox, PREFIX, [headline])
    with serving(redis_url) as client:
        page = client.post(PATH, data=fields(client))
        assert "88,31" in page.text
        assert "1.234 responden" in page.text
        english = client.post(f"{PATH}?lang=en", data=fields(client))
        assert "88.31" in english.text


def test_without_its_store_the_page_says_so(redis_url: str, inbox: Redis) -> None:
    tell(redis_url, with_forms())
    with serving(redis_url, inbox_limit="1") as client:
        first = fields(client)
        assert client.post(PATH, data=first).status_code == 200
        eventually(lambda: client.get("/readyz").status_code == 503, within=5)
        page = client.post(PATH, data=fields(client))
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0

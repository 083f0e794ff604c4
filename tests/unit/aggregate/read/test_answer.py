"""ETag, If-None-Match and HEAD."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from services.aggregate.read.answer import PreparedAnswer

ANSWER = PreparedAnswer.of(b'{"ikm":91.67}')
ETAG = dict(ANSWER.headers)[b"etag"]


def sent(method: str, *conditions: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    messages: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    asyncio.run(
        ANSWER.send(
            method, [(b"host", b"x"), *((b"if-none-match", tag) for tag in conditions)], send
        )
    )
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


@pytest.mark.parametrize(
    "condition",
    [
        ETAG,
        ETAG.removeprefix(b"W/"),
        b"*",
        b'"other", ' + ETAG,
        ETAG + b',W/"other"',
        b' \t"x" ,\t' + ETAG + b" ",
    ],
)
def test_who_has_it_gets_304(condition: bytes) -> None:
    for method in ("GET", "HEAD"):
        status, headers, body = sent(method, condition)
        assert (status, body) == (304, b"")
        assert headers == {
            b"etag": ETAG,
            b"cache-control": b"public, no-cache",
            b"vary": b"authorization",
        }


@pytest.mark.parametrize(
    "condition", [b"", b'""', b'"other"', ETAG[:-2], b"w/" + ETAG, ETAG.strip(b'W/"'), b"**"]
)
def test_who_has_another_one_gets_200(condition: bytes) -> None:
    status, headers, body = sent("GET", condition)
    assert (status, body) == (200, ANSWER.body)
    assert headers[b"content-length"] == str(len(ANSWER.body)).encode()


def test_the_condition_may_come_in_several_lines() -> None:
    assert sent("GET", b'"other"', ETAG)[0] == 304


def test_head_is_the_get_without_its_body() -> None:
    assert sent("HEAD")[:2] == sent("GET")[:2]
    assert sent("HEAD")[2] == b""


def test_the_etag_follows_the_content() -> None:
    assert PreparedAnswer.of(ANSWER.body).tag == ANSWER.tag
    assert PreparedAnswer.of(b'{"ikm":91.68}').tag != ANSWER.tag


def test_what_a_key_gave_is_for_its_holder_alone() -> None:
    private = PreparedAnswer.of(b"{}", is_private=True)
    for headers in (private.headers, private.headers_unchanged):
        assert (b"cache-control", b"private, no-cache") in headers
        assert (b"vary", b"authorization") in headers

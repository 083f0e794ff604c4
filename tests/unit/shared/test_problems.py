"""The catalogue of problems and its wire form."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from shared.domain.violation import Violation
from shared.problems import KINDS, problem, query_violation


def test_the_body_names_kind_status_and_reasons() -> None:
    answer = problem(
        "invalid-parameter",
        "no such window",
        errors=[query_violation("window", "unknown-window", "x")],
    )
    assert answer.status == 422
    assert json.loads(answer.body) == {
        "type": "/docs/problems#invalid-parameter",
        "title": "A parameter is not valid",
        "judul": "Parameter tidak sah",
        "status": 422,
        "code": "invalid-parameter",
        "detail": "no such window",
        "errors": [{"pointer": "/query/window", "code": "unknown-window", "detail": "x"}],
    }


@pytest.mark.parametrize("code", KINDS)
def test_a_problem_that_may_pass_says_when_to_try_again(code: str) -> None:
    answer = problem(code)
    assert answer.plain_headers["content-type"] == "application/problem+json"
    assert answer.plain_headers["content-length"] == str(len(answer.body))
    assert ("retry-after" in answer.plain_headers) == (answer.status == 503)


def test_headers_are_added_and_replaced() -> None:
    answer = problem("unauthorized").with_headers(
        www_authenticate="Bearer", cache_control="private"
    )
    assert answer.plain_headers["www-authenticate"] == "Bearer"
    assert answer.plain_headers["cache-control"] == "private"


def test_violations_of_a_submission_are_reasons_as_they_are() -> None:
    answer = problem("invalid-submission", errors=[Violation("/answers/U1", "range", "1 to 4")])
    assert json.loads(answer.body)["errors"] == [
        {"pointer": "/answers/U1", "code": "range", "detail": "1 to 4"}
    ]


def test_a_lone_surrogate_in_a_pointer_is_replaced() -> None:
    answer = problem("invalid-submission", errors=[Violation("/\ud800", "unknown-field", "é")])
    assert json.loads(answer.body)["errors"] == [
        {"pointer": "/?", "code": "unknown-field", "detail": "é"}
    ]


@pytest.mark.parametrize(("method", "has_body"), [("GET", True), ("HEAD", False)])
def test_a_problem_is_an_asgi_application(method: str, has_body: bool) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(problem("not-found")({"type": "http", "method": method}, None, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 404
    assert bool(sent[1]["body"]) == has_body

"""On one port: each path to its service, one OpenAPI document, readiness and metrics of both."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from services.ops.web.app import Web
from services.ops.web.openapi import merged


class Part:
    """A service that says its name."""

    def __init__(self, name: str, paths: list[str], ready: dict[str, Any]) -> None:
        self.api = FastAPI(title=name, version="1", docs_url=None, redoc_url=None)
        for path in paths:
            self.api.add_api_route(path, lambda: PlainTextResponse(name))
        self.api.add_api_route(
            "/readyz", lambda: JSONResponse(ready, 200 if ready["ready"] else 503)
        )
        self.api.add_api_route("/metrics", lambda: Response(f"{name}_up 1\n"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.api(scope, receive, send)


def get(path: str, *, method: str = "GET", ready: bool = True) -> httpx.Response:
    ingest = Part(
        "ingest",
        ["/v1/submissions", "/s/{opd}"],
        {"ready": True, "reason": None, "durability": "always"},
    )
    read = Part(
        "read",
        ["/", "/v1/opd/{opd}/ikm"],
        {"ready": ready, "reason": None if ready else "database"},
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=Web(ingest, read))
        async with httpx.AsyncClient(transport=transport, base_url="http://ikm") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/submissions", "ingest"),
        ("/s/disdukcapil", "ingest"),
        ("/", "read"),
        ("/v1/opd/disdukcapil/ikm", "read"),
    ],
)
def test_a_path_belongs_to_one_service(path: str, service: str) -> None:
    assert get(path).text == service


def test_ready_is_when_both_are() -> None:
    assert get("/readyz").json() == {"ready": True, "reason": None, "durability": "always"}
    answer = get("/readyz", ready=False)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json() == {"ready": False, "reason": "database", "durability": "always"}


def test_metrics_are_those_of_both() -> None:
    assert get("/metrics").text.splitlines() == ["ingest_up 1", "read_up 1"]


def test_what_both_have_is_read_only() -> None:
    answer = get("/healthz", method="POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["code"] == "method-not-allowed"


def test_one_document_describes_both() -> None:
    paths = get("/openapi.json").json()["paths"]
    assert {"/v1/submissions", "/v1/opd/{opd}/ikm", "/readyz", "/metrics"} <= paths.keys()


def document(path: str, schema: dict[str, Any]) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "openapi": "3.1.0",
        "info": {"title": path, "version": "1"},
        "paths": {
            path: {
                "get": {
                    "responses": {"404": {"content": {"application/json": {"schema": reference}}}}
                }
            }
        },
        "components": {"schemas": {"Problem": schema}},
    }


def test_two_schemas_of_one_name_stay_apart() -> None:
    both = merged([document("/a", {"type": "object"}), document("/b", {"type": "string"})])
    assert both["components"]["schemas"] == {
        "Problem": {"type": "object"},
        "Problem2": {"type": "string"},
    }
    content = both["paths"]["/b"]["get"]["responses"]["404"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Problem2"}


def test_the_same_schema_twice_is_one() -> None:
    both = merged([document("/a", {"type": "object"}), document("/b", {"type": "object"})])
    assert both["components"]["schemas"] == {"Problem": {"type": "object"}}

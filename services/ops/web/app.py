"""Both services as one application on one port, with one readiness, one set of metrics and one OpenAPI document."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from http import HTTPStatus
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Message, Receive, Scope, Send

from services.ops.web.openapi import merged
from shared.problems import problem
from shared.settings import Settings

_READ_METHODS = ("GET", "HEAD")


class Part(Protocol):
    """A service: an ASGI application and, within it, the FastAPI application that carries routes and lifespan."""

    api: FastAPI

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""


def create_app(settings: Settings | None = None) -> "Web":
    """The application for the configured environment."""
    from services.aggregate.read.app import create_app as create_read
    from services.ingest.app import create_app as create_ingest

    settings = settings or Settings.load()
    return Web(create_ingest(settings), create_read(settings))


class Web:
    """Sends each request to the service that its path belongs to; what both have is answered here, for both."""

    def __init__(self, ingest: Part, read: Part) -> None:
        self._ingest = ingest
        self._read = read
        self._own: dict[str, Callable[[], Awaitable[Response]]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }
        self._ways_in, self._ways_in_below = _paths(ingest.api.routes, except_for=self._own)
        self._lifespan = Router(lifespan=self._running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run both lifespans."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        if path in self._ways_in or path.startswith(self._ways_in_below):
            await self._ingest(scope, receive, send)
        elif path in self._own:
            await self._answer(scope, receive, send)
        else:
            await self._read(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") not in _READ_METHODS:
            await problem("method-not-allowed").with_headers(allow=", ".join(_READ_METHODS))(
                scope, receive, send
            )
            return
        response = await self._own[scope["path"]]()
        await response(scope, receive, send)

    @asynccontextmanager
    async def _running(self, _: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in (self._ingest, self._read):
                await stack.enter_async_context(part.api.router.lifespan_context(part.api))
            yield

    async def _healthz(self) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self) -> Response:
        """Ready when both are; the promise, the inbox and the registry are those of ingest."""
        (status_in, ingest), (status_out, read) = (
            await _ask(self._ingest, "/readyz"),
            await _ask(self._read, "/readyz"),
        )
        ready = status_in == status_out == HTTPStatus.OK
        state = {**json.loads(read), **json.loads(ingest), "ready": ready}
        state["reason"] = json.loads(ingest).get("reason") or json.loads(read).get("reason")
        headers = {} if ready else {"Retry-After": "2"}
        return JSONResponse(
            state, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, headers
        )

    async def _metrics(self) -> Response:
        texts = [(await _ask(part, "/metrics"))[1] for part in (self._ingest, self._read)]
        return Response(b"".join(texts), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def _openapi(self) -> Response:
        return JSONResponse(self.document)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document of both."""
        return merged([self._ingest.api.openapi(), self._read.api.openapi()])


def _paths(
    routes: Sequence[BaseRoute], except_for: Iterable[str]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The paths of these routes: the fixed ones, and what the ones with parameters and the mounts begin with."""
    paths = {route.path for route in routes if isinstance(route, Route)} - set(except_for)
    fixed = frozenset(path for path in paths if "{" not in path)
    below = {path.partition("{")[0] for path in paths - fixed}
    below |= {f"{route.path}/" for route in routes if isinstance(route, Mount)}
    return fixed, tuple(sorted(below))


async def _ask(part: Part, path: str) -> tuple[int, bytes]:
    """What a service answers to a GET."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
    }
    status = 0
    chunks: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        chunks.append(message.get("body", b""))

    await part(scope, receive, send)
    return status, b"".join(chunks)

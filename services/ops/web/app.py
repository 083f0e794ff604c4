"""Both services as one application on one port; what both have is answered once, for both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from http import HTTPStatus
from typing import Any, Protocol

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from services.ops.web.openapi import merged
from shared.problems import problem
from shared.settings import Settings

_READ_METHODS = ("GET", "HEAD")


class Part(Protocol):
    """A service: an ASGI application, and the FastAPI one in it with routes and lifespan."""

    api: FastAPI

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""


def create_app(settings: Settings | None = None) -> "Web":
    """Return the application for the configured environment."""
    from services.aggregate.read.app import create_app as create_read
    from services.ingest.app import create_app as create_ingest

    settings = settings or Settings.load()
    return Web(create_ingest(settings), create_read(settings))


class Web:
    """Sends each request to the service that its path belongs to, unless the path is of both."""

    def __init__(self, ingest: Part, read: Part) -> None:
        self._ingest = ingest
        self._read = read
        self._common: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }
        self._ingest_paths = _paths(ingest.api.routes) - self._common.keys()
        self._ingest_prefixes = _prefixes(ingest.api.routes)
        self._lifespan = Router(lifespan=self._running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run both lifespans."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        if path in self._ingest_paths or path.startswith(self._ingest_prefixes):
            await self._ingest(scope, receive, send)
        elif path in self._common:
            await self._answer(scope, receive, send)
        else:
            await self._read(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") not in _READ_METHODS:
            refusal = problem("method-not-allowed").with_headers(allow=", ".join(_READ_METHODS))
            await refusal(scope, receive, send)
            return
        response = await self._common[scope["path"]](Request(scope))
        await response(scope, receive, send)

    @asynccontextmanager
    async def _running(self, _: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in (self._ingest, self._read):
                await stack.enter_async_context(part.api.router.lifespan_context(part.api))
            yield

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self, _: Request) -> Response:
        """Ready when both are; the promise, the inbox and the registry are those of ingest."""
        ingest, read = await _get(self._ingest, "/readyz"), await _get(self._read, "/readyz")
        state = {**read.json(), **ingest.json()}
        state["ready"] = ingest.status_code == read.status_code == HTTPStatus.OK
        state["reason"] = ingest.json().get("reason") or read.json().get("reason")
        if state["ready"]:
            return JSONResponse(state)
        return JSONResponse(state, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "2"})

    async def _metrics(self, request: Request) -> Response:
        """Answer with the numbers of both; each of them asks for the key."""
        sent = {name: value for name, value in request.headers.items() if name == "authorization"}
        answers = [await _get(part, "/metrics", sent) for part in (self._ingest, self._read)]
        for answer in answers:
            if answer.status_code != HTTPStatus.OK:
                return Response(answer.content, answer.status_code, dict(answer.headers))
        text = b"".join(answer.content for answer in answers)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def _openapi(self, _: Request) -> Response:
        return JSONResponse(self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return merged([self._ingest.api.openapi(), self._read.api.openapi()])


def _paths(routes: Sequence[BaseRoute]) -> frozenset[str]:
    """Return the paths of routes without parameters."""
    return frozenset(
        route.path for route in routes if isinstance(route, Route) and "{" not in route.path
    )


def _prefixes(routes: Sequence[BaseRoute]) -> tuple[str, ...]:
    """Return what the paths of mounts, and of routes with parameters, begin with."""
    mounts = {f"{route.path}/" for route in routes if isinstance(route, Mount)}
    with_parameters = {
        route.path.partition("{")[0]
        for route in routes
        if isinstance(route, Route) and "{" in route.path
    }
    return tuple(mounts | with_parameters)


async def _get(part: Part, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask a service in this process."""
    transport = httpx.ASGITransport(app=part)
    async with httpx.AsyncClient(transport=transport, base_url="http://part") as client:
        return await client.get(path, headers=headers)

"""The read API as one ASGI application: prepared answers at once, the rest through FastAPI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from services.aggregate.read.api import imports, openapi, probes, refusals, routes
from services.aggregate.read.pages import routes as page_routes
from services.aggregate.read.service import ReadService
from shared.clock import Clock, utc_now
from shared.observability import configure
from shared.settings import Settings


class ReadApi:
    """The ASGI application. `api` is its FastAPI part: routes, lifespan and OpenAPI document."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.service = ReadService(settings, clock)
        self.api: FastAPI = _DocumentedApi(
            title="IKM Live (read)",
            version="1",
            summary="Menyajikan indeks kepuasan masyarakat / serves the satisfaction index",
            lifespan=self._lifespan,
            docs_url=None,  # FastAPI's page loads its parts from another host; ours is in the pages
            redoc_url=None,
            redirect_slashes=False,
            generate_unique_id_function=lambda route: route.name,
        )
        self.api.state.service = self.service
        refusals.install(self.api)
        for router in (routes.router, imports.router, probes.router, page_routes.router):
            self.api.include_router(router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            answer = self.service.prepared_answer(scope)
            if answer is not None:
                await answer.send(scope["method"], scope["headers"], send)
                return
            if scope["method"] == "HEAD":
                scope, send = {**scope, "method": "GET"}, _without_body(send)
        await self.api(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self.service.start()
        try:
            yield
        finally:
            self.service.stop()


class _DocumentedApi(FastAPI):
    """FastAPI, with the schemas of the bodies in its document."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return openapi.with_schemas(super().openapi())


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> ReadApi:
    """Return the application for the configured environment."""
    settings = settings or Settings.load()
    configure(settings)
    return ReadApi(settings, clock)


def _without_body(send: Send) -> Send:
    """Return a `send` for HEAD: the headers of the GET, and nothing else."""

    async def head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return head

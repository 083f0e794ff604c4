"""The ingest service: FastAPI for its documents and probes, and beside it the plain endpoints that take submissions."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.endpoint import Endpoint
from services.ingest.formats import FORMATS
from services.ingest.group_commit import GroupCommit
from services.ingest.hints import Hinter
from services.ingest.meters import Meters
from services.ingest.openapi import PATHS, SCHEMAS
from services.ingest.watch import STARTING, UNAVAILABLE, Watch
from shared.broker import celery_app
from shared.clock import utc_now
from shared.connections import ingest_redis
from shared.domain.errors import IkmError
from shared.inbox.writer import Writer
from shared.observability import configure
from shared.problems import Problem, problem
from shared.settings import Settings

log = logging.getLogger(__name__)

MONITOR_TIMEOUT_S = 0.5  # a look at the store must not wait as long as a request may


class Ingest:
    """The ASGI application. `api` is its FastAPI part, which also carries the OpenAPI document."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.endpoints: dict[str, ASGIApp] = {}
        self.api = _fastapi(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Submissions go straight to their endpoint; everything else through FastAPI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self.endpoints.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self.api(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect, watch and hint for as long as the block lasts."""
        settings = self._settings
        url, prefix = settings.need_redis(), settings.redis_prefix
        store = ingest_redis(url, timeout_s=settings.accept_timeout)
        look = ingest_redis(url, timeout_s=min(MONITOR_TIMEOUT_S, settings.accept_timeout))
        watch = Watch(settings, look, Writer(look, prefix), utc_now)
        self.watch = watch
        self.meters = Meters(watch)
        hinter = Hinter(look, celery_app(settings), prefix)

        def stored(accepted: int, settled: int) -> None:
            watch.stored(accepted, settled)
            hinter.poke()

        writer = Writer(store, prefix)
        commit = GroupCommit(writer, settings.accept_timeout, stored, watch.failed)
        self.endpoints |= {
            path: Endpoint(wire_format, watch, commit, self.meters)
            for path, wire_format in FORMATS.items()
        }
        await watch.look()
        _calm_the_collector()
        tasks = [asyncio.create_task(watch.run()), asyncio.create_task(hinter.run())]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            yield
        finally:
            await commit.close()
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            hinter.close()
            await writer.close()
            await store.aclose()
            await look.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Stop the process, to be started anew: without its watch it would believe its last look for ever."""
        if not task.cancelled():
            self.watch.refusal = UNAVAILABLE
            log.critical("a background task ended", exc_info=task.exception())
            signal.raise_signal(signal.SIGTERM)


def create_app(settings: Settings | None = None) -> Ingest:
    """The application for the configured environment."""
    settings = settings or Settings.load()
    configure(settings)
    return Ingest(settings)


def _fastapi(ingest: Ingest) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with ingest.running():
            yield

    api = FastAPI(
        title="IKM Live: ingest",
        version="1",
        summary="Menerima isian survei kepuasan masyarakat / takes survey responses",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )

    @api.get("/healthz", summary="Is the process alive", tags=["operations"])
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @api.get(
        "/readyz",
        summary="Can submissions be accepted, and what does a 202 promise",
        tags=["operations"],
        responses={503: {"description": "Submissions are refused now"}},
    )
    async def readyz() -> Response:
        watch = ingest.watch
        state: Mapping[str, Any] = {
            "ready": watch.refusal is None,
            "reason": watch.refusal.code if watch.refusal else None,
            "durability": {
                "promise": watch.durability.promise,
                "appendonly": watch.durability.appendonly,
                "appendfsync": watch.durability.appendfsync,
                "maxmemory_policy": watch.durability.policy,
                "no_appendfsync_on_rewrite": watch.durability.rewriting,
            },
            "inbox": {"waiting": watch.waiting, "memory_share": round(watch.memory_share, 4)},
            "registry": watch.registry.version,
        }
        headers = {} if watch.refusal is None else {"Retry-After": "2"}
        return JSONResponse(
            state, status_code=200 if watch.refusal is None else 503, headers=headers
        )

    @api.get("/metrics", summary="Prometheus metrics", tags=["operations"], response_class=Response)
    async def metrics() -> Response:
        return Response(ingest.meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    _documented_posts(api, ingest)
    _problems(api)
    return api


def _documented_posts(api: FastAPI, ingest: Ingest) -> None:
    """The POST paths as routes, for 405 and where a mount changed the path; documented by hand."""

    def route(path: str) -> Callable[[Request], Awaitable[Response]]:
        async def post(_: Request) -> Response:
            return _Raw(ingest.endpoints.get(path, STARTING))

        return post

    for path in FORMATS:
        api.router.add_route(path, route(path), methods=["POST"], include_in_schema=False)
    generated = api.openapi

    def openapi() -> dict[str, Any]:
        document = generated()
        document["paths"] = {**PATHS, **document["paths"]}
        components = document.setdefault("components", {})
        components["schemas"] = {**SCHEMAS, **components.get("schemas", {})}
        components["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "channel key"}
        }
        return document

    setattr(api, "openapi", openapi)  # noqa: B010 - FastAPI's documented way to extend the document


class _Raw(Response):
    def __init__(self, endpoint: ASGIApp) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)


def _problems(api: FastAPI) -> None:
    async def failed(_: Request, error: Exception) -> Response:
        log.error("internal error", exc_info=error)
        return _response(problem("internal-error"))

    async def refused(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = {404: "not-found", 405: "method-not-allowed"}.get(status, "malformed-request")
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        return _response(problem(code), headers)

    api.add_exception_handler(HTTPException, refused)
    api.add_exception_handler(IkmError, failed)
    api.add_exception_handler(Exception, failed)


def _calm_the_collector() -> None:
    """Leave what start-up made out of every collection, and collect a fourteenth as often as usual.

    Requests leave no cycles behind; looking for them took an eighth of the time of each. Other work
    does, a few objects a second: they must not pile up for an hour.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        found.body, status_code=found.status, headers={**found.plain_headers, **(headers or {})}
    )

"""The ingest service: FastAPI for documents and probes, and endpoints for submissions beside it."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.acceptance import Acceptance
from services.ingest.api import openapi, probes
from services.ingest.chats import routes as chats
from services.ingest.chats.conversations import Conversations
from services.ingest.chats.gateways.outgoing import Outgoing
from services.ingest.endpoint import Endpoint
from services.ingest.form import routes as form
from services.ingest.form.limits import AddressLimit
from services.ingest.formats import FORMATS
from services.ingest.group_commit import GroupCommit
from services.ingest.hints import Hinter
from services.ingest.meters import IngestMeters
from services.ingest.tablets import routes as tablets
from services.ingest.tablets.forms import Forms
from services.ingest.watch import STARTING, UNAVAILABLE, Watch
from shared import problem_handlers
from shared.broker import celery_app
from shared.clock import utc_now
from shared.connections import ingest_redis
from shared.inbox.writer import Writer
from shared.observability import configure
from shared.registry.refused_keys import RefusedKeys
from shared.settings import Settings

log = logging.getLogger(__name__)

MONITOR_TIMEOUT_S = 0.5  # a look at the store must not wait as long as a request may


class Ingest:
    """The ASGI application. `api` is its FastAPI part, which also carries the OpenAPI document."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoints: dict[str, ASGIApp] = dict.fromkeys(FORMATS, STARTING)
        self.api = FastAPI(
            title="IKM Live: ingest",
            version="1",
            summary="Menerima isian survei kepuasan masyarakat / takes survey responses",
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,  # to a host that the client named, its key would go there
        )
        # As routes of its own, not as included routers, whose paths the web application cannot see.
        self.api.router.routes += [
            *probes.router.routes,
            *tablets.router.routes,
            *form.router.routes,
            *chats.router.routes,
        ]
        self.api.router.routes += [
            Route(
                path, _PostRoute(self._endpoints, path), methods=["POST"], include_in_schema=False
            )
            for path in self._endpoints
        ]
        openapi.document_posts(self.api)
        problem_handlers.install(self.api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand submissions straight to their endpoint, and everything else to FastAPI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self.api(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, api: FastAPI) -> AsyncIterator[None]:
        """Connect, watch and hint for as long as the service runs."""
        settings = self._settings
        url, prefix = settings.need_redis(), settings.redis_prefix
        redis = ingest_redis(url, timeout_s=settings.accept_timeout)
        monitor_redis = ingest_redis(url, timeout_s=min(MONITOR_TIMEOUT_S, settings.accept_timeout))
        watch = Watch(settings, monitor_redis, Writer(monitor_redis, prefix), utc_now)
        hinter = Hinter(monitor_redis, celery_app(settings), prefix)

        def on_stored(accepted: int, settled: int) -> None:
            watch.stored(accepted, settled)
            hinter.poke()

        writer = Writer(redis, prefix)
        commit = GroupCommit(
            writer, settings.accept_timeout, watch.receipt_maker, on_stored, watch.failed
        )
        meters = IngestMeters(watch)
        acceptance = Acceptance(watch, commit, meters)
        api.state.settings, api.state.watch, api.state.meters = settings, watch, meters
        api.state.acceptance = acceptance
        outgoing = api.state.outgoing = Outgoing()
        api.state.conversations = Conversations(redis, prefix)
        refused_keys = RefusedKeys()
        api.state.refused_keys, api.state.forms = refused_keys, Forms()
        api.state.form_limit = AddressLimit(settings.form_hourly)
        for path, wire_format in FORMATS.items():
            self._endpoints[path] = Endpoint(wire_format, watch, acceptance, meters, refused_keys)
        await watch.look()
        _calm_the_collector()
        tasks = [asyncio.create_task(watch.run()), asyncio.create_task(hinter.run())]
        tasks.append(asyncio.create_task(outgoing.run()))
        for task in tasks:
            task.add_done_callback(partial(_stop_the_process, watch))
        try:
            yield
        finally:
            await commit.close()
            await outgoing.close()
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            hinter.close()
            await outgoing.finish()
            await writer.close()
            await redis.aclose()
            await monitor_redis.aclose()


class _PostRoute:
    """A POST path as a route: for 405 to other methods, and where a mount changed the path."""

    def __init__(self, endpoints: Mapping[str, ASGIApp], path: str) -> None:
        self._endpoints = endpoints
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoints[self._path](scope, receive, send)


def create_app(settings: Settings | None = None) -> Ingest:
    """Return the application for the configured environment."""
    settings = settings or Settings.load()
    configure(settings)
    return Ingest(settings)


def _stop_the_process(watch: Watch, task: asyncio.Task[None]) -> None:
    """Stop the process when a background task ends, to be started anew.

    Without its watch it would believe its last look for ever.
    """
    if not task.cancelled():
        watch.refusal = UNAVAILABLE
        log.critical("a background task ended", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def _calm_the_collector() -> None:
    """Leave what start-up made out of every collection, and collect a fourteenth as often as usual.

    Requests leave no cycles behind; looking for them took an eighth of the time of each. Other work
    does, a few objects a second: they must not pile up for an hour.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)

"""What operators ask of ingest: does it live, does it accept, what does a 202 promise; its metrics.

The routes read the state of the application that they belong to: `settings`, `watch` and `meters`,
which are there from its start on.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request

from services.ingest.meters import IngestMeters
from services.ingest.watch import Watch
from shared.registry.access import demand_metrics
from shared.settings import Settings

router = APIRouter(tags=["operations"])

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_NEEDS_A_KEY: dict[int | str, dict[str, Any]] = {
    401: {"description": "Metrics are not open, and no known key was sent", "content": _PROBLEM},
    403: {"description": "The key may not read all OPDs", "content": _PROBLEM},
}


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> dict[str, str]:
    """200 from a process that is alive, whatever its store does."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    summary="Can submissions be accepted, and what does a 202 promise",
    responses={503: {"description": "Submissions are refused now"}},
)
async def readyz(request: Request) -> Response:
    """200 while submissions are accepted; 503 with the reason while they are not."""
    watch: Watch = request.app.state.watch
    if watch.refusal is None:
        return JSONResponse(_state(watch))
    return JSONResponse(_state(watch), status_code=503, headers={"Retry-After": "2"})


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=_NEEDS_A_KEY,
    openapi_extra={"security": [{}, {"key": []}]},
)
async def metrics(request: Request) -> Response:
    """The numbers of this process, for a key that may read all OPDs; IKM_METRICS=open: for all."""
    watch: Watch = request.app.state.watch
    settings: Settings = request.app.state.settings
    authorization = request.headers.get("authorization")
    demand_metrics(watch.registry, authorization, is_open=settings.has_open_metrics)
    meters: IngestMeters = request.app.state.meters
    return Response(meters.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _state(watch: Watch) -> dict[str, Any]:
    return {
        "ready": watch.refusal is None,
        "reason": watch.refusal.code if watch.refusal else None,
        "durability": {
            "promise": watch.durability.promise,
            "appendonly": watch.durability.appendonly,
            "appendfsync": watch.durability.appendfsync,
            "maxmemory_policy": watch.durability.policy,
            "no_appendfsync_on_rewrite": watch.durability.rewriting,
        },
        # The version itself is in the log: it is nobody's business but the operators'.
        "store": {"outdated": watch.server.is_outdated if watch.server else None},
        "registry": watch.registry.version,
    }

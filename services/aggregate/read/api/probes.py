"""What operators ask of the read API: is it alive, can it serve figures, its metrics."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from services.aggregate.read import bodies
from services.aggregate.read.api import openapi
from services.aggregate.read.service import Service
from services.aggregate.rolling.rolling_rows import encode

router = APIRouter(tags=["operations"], default_response_class=Response)


@router.get(
    "/healthz",
    summary="Is the process alive",
    responses={200: openapi.json_response(bodies.Liveness, "It is")},
)
async def healthz() -> Response:
    """200 from a process that is alive, whatever its database does."""
    return Response(encode(bodies.Liveness("ok")), media_type="application/json")


@router.get(
    "/readyz",
    summary="Can figures be served",
    responses={
        200: openapi.json_response(bodies.Readiness, "They can"),
        503: openapi.json_response(bodies.Readiness, "They are not loaded yet"),
    },
)
async def readyz(service: Service) -> Response:
    """200 once figures were loaded, also while PostgreSQL is away; 503 before."""
    readiness = service.readiness()
    status, headers = (200, {}) if readiness.ready else (503, {"Retry-After": "2"})
    return Response(encode(readiness), status, headers, "application/json")


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    responses={
        200: {
            "description": "Text format",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **openapi.refusals(401, 403),
    },
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def metrics(request: Request, service: Service) -> Response:
    """The numbers of the way out, read from PostgreSQL now.

    For a key that may read all OPDs; with IKM_METRICS=open for everyone who can reach this.
    """
    service.demand_metrics(request.headers.get("authorization"))
    text = await service.queries.run(service.meters.text)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

"""The paths of the read API: take the parameters, ask, answer."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.aggregate.read import bodies
from services.aggregate.read.api import openapi
from services.aggregate.read.api.refusals import each_once
from services.aggregate.read.figures import rolling_index, tally_index
from services.aggregate.read.figures.breakdown import breakdown
from services.aggregate.read.figures.trend import trend
from services.aggregate.read.parameters import BreakdownQuery, InstansiQuery, OpdQuery, TrendQuery
from services.aggregate.read.service import (
    PreparedResponse,
    ReadService,
    json_answer,
    registered_layanan,
    registered_opd,
)
from services.aggregate.rolling.rolling_rows import encode
from shared.domain.submission.identity import CODE_MAX

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

OpdCode = Annotated[
    str,
    Path(
        alias="opd",
        max_length=CODE_MAX,
        description="Kode OPD / code of the OPD",
        examples=["disdukcapil"],
    ),
]


def router(service: ReadService) -> APIRouter:
    """All of them."""
    routes = APIRouter()
    routes.include_router(_indices(service))
    routes.include_router(_series(service))
    routes.include_router(_operations(service))
    return routes


def _indices(service: ReadService) -> APIRouter:
    routes = APIRouter(
        tags=["index"], default_response_class=Response, dependencies=[Depends(each_once)]
    )

    @routes.get(
        "/v1/ikm",
        summary="IKM instansi dan semua OPD / the index of the instansi and of every OPD",
        responses=openapi.answers(
            bodies.Index, "The instansi (pooled and mean of OPDs) and its OPDs", 409, 422, 503
        ),
    )
    async def index(request: Request, query: Annotated[InstansiQuery, Query()]) -> Response:
        source = service.source()
        window = query.period(source.today)
        return await service.answer(
            request,
            source,
            rolling_index.index(source.snapshot, window),
            lambda: tally_index.index(source, window),
            json_answer,
        )

    @routes.get(
        "/v1/opd/{opd}/ikm",
        summary="IKM satu OPD atau layanan / the index of one OPD or layanan",
        responses=openapi.answers(
            bodies.OpdIndex, "Index, unsur, interval, sample", 404, 409, 422, 503
        ),
    )
    async def opd_index(
        request: Request, opd: OpdCode, query: Annotated[OpdQuery, Query()]
    ) -> Response:
        source = service.source()
        opd_entry = registered_opd(source.registry, opd)
        layanan = registered_layanan(opd_entry, query.layanan)
        window = query.period(source.today)
        return await service.answer(
            request,
            source,
            rolling_index.opd_index(source.snapshot, opd_entry, layanan, window),
            lambda: tally_index.opd_index(source, opd_entry, layanan, window),
            json_answer,
        )

    return routes


def _series(service: ReadService) -> APIRouter:
    routes = APIRouter(default_response_class=Response, dependencies=[Depends(each_once)])

    @routes.get(
        "/v1/opd/{opd}/trend",
        tags=["index"],
        summary="Perkembangan IKM / how the index moved, by local day, ISO week or month",
        responses=openapi.answers(bodies.Trend, "A series, gaps included", 404, 409, 422, 503),
    )
    def opd_trend(opd: OpdCode, query: Annotated[TrendQuery, Query()]) -> Response:
        source = service.source()
        opd_entry = registered_opd(source.registry, opd)
        layanan = registered_layanan(opd_entry, query.layanan)
        return PreparedResponse(
            json_answer(trend(source, opd_entry, layanan, query.step, query.days()))
        )

    @routes.get(
        "/v1/opd/{opd}/breakdown",
        tags=["index"],
        summary="IKM menurut profil responden / the index by profile of the respondents, layanan or channel",
        description=(
            "Sel dengan kurang dari 5 responden tidak ditampilkan / cells with fewer than 5 respondents are withheld, "
            "and the next smallest ones with them until at least two cells and five respondents are: one cell alone "
            "could be worked out from the total."
        ),
        responses=openapi.answers(
            bodies.Breakdown, "A cell for each value that was given", 404, 409, 422, 503
        ),
    )
    def opd_breakdown(opd: OpdCode, query: Annotated[BreakdownQuery, Query()]) -> Response:
        source = service.source()
        opd_entry = registered_opd(source.registry, opd)
        window = query.period(source.today)
        return PreparedResponse(json_answer(breakdown(source, opd_entry, query.by, window)))

    @routes.get(
        "/v1/receipts/{receipt}",
        tags=["receipts"],
        summary="Nasib satu isian / what became of a submission",
        responses=openapi.answers(
            bodies.ReceiptStatus, "Counted, or parked for a reason", 404, 422, 503
        ),
    )
    def receipt_status(
        receipt: Annotated[
            str, Path(json_schema_extra={"format": "uuid"}, description="As given with the 202")
        ],
    ) -> Response:
        return PreparedResponse(json_answer(service.receipt_status(receipt)))

    return routes


def _operations(service: ReadService) -> APIRouter:
    routes = APIRouter(tags=["operations"], default_response_class=Response)

    @routes.get(
        "/healthz", summary="Is the process alive", responses=_plain(bodies.Liveness, "It is")
    )
    async def healthz() -> Response:
        return Response(encode(bodies.Liveness("ok")), media_type="application/json")

    @routes.get(
        "/readyz",
        summary="Can figures be served",
        responses=_plain(bodies.Readiness, "They can")
        | _plain(bodies.Readiness, "They are not loaded yet", 503),
    )
    async def readyz() -> Response:
        state = service.readiness()
        status, headers = (200, {}) if state.ready else (503, {"Retry-After": "2"})
        return Response(encode(state), status, headers, "application/json")

    @routes.get(
        "/metrics",
        summary="Prometheus metrics",
        responses={
            200: {
                "description": "Text format",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            }
        },
    )
    async def metrics() -> Response:
        return Response(await run_in_threadpool(service.meters.text), media_type=METRICS_TYPE)

    return routes


def _plain(body: type[msgspec.Struct], meaning: str, status: int = 200) -> openapi.Responses:
    return {
        status: {
            "description": meaning,
            "content": {"application/json": {"schema": openapi.reference(body)}},
        }
    }

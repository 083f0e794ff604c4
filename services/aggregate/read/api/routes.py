"""The paths of the figures and receipts: take the parameters, ask, answer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
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
    Service,
    json_answer,
    registered_layanan,
    registered_opd,
)
from shared.domain.submission.identity import CODE_MAX

OpdCode = Annotated[
    str,
    Path(max_length=CODE_MAX, description="Kode OPD / code of the OPD", examples=["disdukcapil"]),
]
Receipt = Annotated[
    str, Path(json_schema_extra={"format": "uuid"}, description="As given with the 202")
]

router = APIRouter(default_response_class=Response, dependencies=[Depends(each_once)])


@router.get(
    "/v1/ikm",
    tags=["index"],
    summary="IKM instansi dan semua OPD / the index of the instansi and of every OPD",
    responses=openapi.responses(
        bodies.Index, "The instansi (pooled and mean of OPDs) and its OPDs", 409, 422, 503
    ),
)
async def index(
    request: Request, service: Service, query: Annotated[InstansiQuery, Query()]
) -> Response:
    """An OPD that was closed on the last day is listed if it has respondents."""
    source = service.source()
    window = query.requested_window(source.today)
    return await service.answer(
        request,
        source,
        rolling_index.index(source.snapshot, window),
        lambda: tally_index.index(source, window),
        json_answer,
    )


@router.get(
    "/v1/opd/{opd}/ikm",
    tags=["index"],
    summary="IKM satu OPD atau layanan / the index of one OPD or layanan",
    responses=openapi.responses(
        bodies.OpdIndex, "Index, unsur, interval, sample", 404, 409, 422, 503
    ),
)
async def opd_index(
    request: Request, service: Service, opd: OpdCode, query: Annotated[OpdQuery, Query()]
) -> Response:
    """Without respondents the index is null, never 0."""
    source = service.source()
    opd_entry = registered_opd(source.registry, opd)
    layanan = registered_layanan(opd_entry, query.layanan)
    window = query.requested_window(source.today)
    return await service.answer(
        request,
        source,
        rolling_index.opd_index(source.snapshot, opd_entry, layanan, window),
        lambda: tally_index.opd_index(source, opd_entry, layanan, window),
        json_answer,
    )


@router.get(
    "/v1/opd/{opd}/trend",
    tags=["index"],
    summary="Perkembangan IKM / how the index moved, by local day, ISO week or month",
    responses=openapi.responses(bodies.Trend, "A series, gaps included", 404, 409, 422, 503),
)
async def opd_trend(
    service: Service, opd: OpdCode, query: Annotated[TrendQuery, Query()]
) -> Response:
    """Without days, it goes from the first respondent to today."""
    source = service.source()
    opd_entry = registered_opd(source.registry, opd)
    layanan = registered_layanan(opd_entry, query.layanan)
    days = query.requested_days()
    return await service.queried(lambda: trend(source, opd_entry, layanan, query.step, days))


@router.get(
    "/v1/opd/{opd}/breakdown",
    tags=["index"],
    summary=(
        "IKM menurut profil responden / the index by profile of the respondents, layanan or channel"
    ),
    responses=openapi.responses(
        bodies.Breakdown, "A cell for each value that was given", 404, 409, 422, 503
    ),
)
async def opd_breakdown(
    service: Service, opd: OpdCode, query: Annotated[BreakdownQuery, Query()]
) -> Response:
    """Sel dengan kurang dari 5 responden tidak ditampilkan / cells of fewer than 5 are withheld.

    The next smallest ones are withheld with them, until at least two cells and five respondents
    are: one cell alone could be worked out from the total.
    """
    source = service.source()
    opd_entry = registered_opd(source.registry, opd)
    window = query.requested_window(source.today)
    return await service.queried(lambda: breakdown(source, opd_entry, query.by, window))


@router.get(
    "/v1/receipts/{receipt}",
    tags=["receipts"],
    summary="Nasib satu isian / what became of a submission",
    responses=openapi.responses(
        bodies.ReceiptStatus, "Counted, or parked for a reason", 404, 422, 503
    ),
)
async def receipt_status(service: Service, receipt: Receipt) -> Response:
    """A submission that still waits in the inbox is not found yet."""
    return await service.queried(lambda: service.receipt_status(receipt))

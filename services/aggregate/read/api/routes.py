"""The paths of the figures and receipts: take the parameters, ask, answer."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from services.aggregate.read import bodies
from services.aggregate.read.answer import AnswerKey
from services.aggregate.read.api import openapi
from services.aggregate.read.api.refusals import each_once
from services.aggregate.read.figures import (
    released_breakdown,
    released_index,
    released_trend,
    rolling_index,
    tally_index,
)
from services.aggregate.read.figures.breakdown import breakdown
from services.aggregate.read.figures.breakdown_bodies import Question
from services.aggregate.read.figures.closed_breakdown import closed_breakdown
from services.aggregate.read.figures.trend import trend
from services.aggregate.read.parameters import (
    INDEX,
    OPD_INDEX,
    BreakdownQuery,
    InstansiBreakdownQuery,
    InstansiQuery,
    OpdQuery,
    TrendQuery,
)
from services.aggregate.read.service import (
    Service,
    json_answer,
    registered_layanan,
    registered_opd,
)
from services.aggregate.read.view import (
    INTERNAL,
    PUBLIC,
    View,
    demand_public_window,
    not_public,
)
from shared.domain.submission.identity import CODE_MAX

OpdCode = Annotated[
    str,
    Path(max_length=CODE_MAX, description="Kode OPD / code of the OPD", examples=["disdukcapil"]),
]
Receipt = Annotated[
    str, Path(json_schema_extra={"format": "uuid"}, description="As given with the 202")
]

# How each view is answered: from rows in memory, where they are kept, else by a query.
_INDEX_OF: Final[Mapping[View, Any]] = {
    INTERNAL: (rolling_index.index, tally_index.index),
    PUBLIC: (released_index.prepared_index, released_index.summed_index),
}
_OPD_INDEX_OF: Final[Mapping[View, Any]] = {
    INTERNAL: (rolling_index.opd_index, tally_index.opd_index),
    PUBLIC: (released_index.prepared_opd_index, released_index.summed_opd_index),
}

router = APIRouter(default_response_class=Response, dependencies=[Depends(each_once)])


@router.get(
    INDEX,
    tags=["index"],
    summary="IKM instansi dan semua OPD / the index of the instansi and of every OPD",
    responses=openapi.responses(
        bodies.Index,
        "The instansi (pooled and mean of OPDs) and its OPDs",
        *(401, 403, 409, 422, 503),
    ),
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def index(
    request: Request, service: Service, query: Annotated[InstansiQuery, Query()]
) -> Response:
    """An OPD that was closed on the last day is listed if it has respondents.

    Live with a key that may read all OPDs, else as released.
    """
    source = service.source(request)
    view = source.view()
    window = query.requested_window(source.today)
    if view == PUBLIC:
        demand_public_window(source.key, window)
    from_rows, query_tables = _INDEX_OF[view]
    return await service.answer(
        source,
        view,
        AnswerKey(INDEX, "", "", window.name),
        (lambda: from_rows(source, window), lambda: query_tables(source, window)),
        partial(json_answer, is_private=view == INTERNAL),
    )


@router.get(
    OPD_INDEX,
    tags=["index"],
    summary="IKM satu OPD atau layanan / the index of one OPD or layanan",
    responses=openapi.responses(
        bodies.OpdIndex, "Index, unsur, interval, sample", *(401, 403, 404, 409, 422, 503)
    ),
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def opd_index(
    request: Request, service: Service, opd: OpdCode, query: Annotated[OpdQuery, Query()]
) -> Response:
    """Without respondents the index is null, never 0.

    Live with a key that may read this OPD, else as released.
    """
    source = service.source(request)
    opd_entry = registered_opd(source.registry, opd)
    layanan = registered_layanan(opd_entry, query.layanan)
    view = source.view(opd)
    window = query.requested_window(source.today)
    if query.verified == "true":
        if view == PUBLIC:
            raise not_public(source.key, "verified=true", "the index of all responses")
        return await service.queried(
            lambda: tally_index.verified_opd_index(source, opd_entry, layanan, window),
            is_private=True,
        )
    if view == PUBLIC:
        demand_public_window(source.key, window)
    from_rows, query_tables = _OPD_INDEX_OF[view]
    return await service.answer(
        source,
        view,
        AnswerKey(OPD_INDEX, opd, query.layanan, window.name),
        (
            lambda: from_rows(source, opd_entry, layanan, window),
            lambda: query_tables(source, opd_entry, layanan, window),
        ),
        partial(json_answer, is_private=view == INTERNAL),
    )


@router.get(
    "/v1/opd/{opd}/trend",
    tags=["index"],
    summary="Perkembangan IKM / how the index moved, by local day, ISO week or month",
    responses=openapi.responses(
        bodies.Trend, "A series, gaps included", *(401, 403, 404, 409, 422, 503)
    ),
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def opd_trend(
    request: Request, service: Service, opd: OpdCode, query: Annotated[TrendQuery, Query()]
) -> Response:
    """Without days, it goes from the first respondent to today. As released: months alone."""
    source = service.source(request)
    opd_entry = registered_opd(source.registry, opd)
    layanan = registered_layanan(opd_entry, query.layanan)
    days = query.requested_days()
    if source.view(opd) == INTERNAL:
        return await service.queried(
            lambda: trend(source, opd_entry, layanan, query.step, days), is_private=True
        )
    if query.step != released_trend.STEP or days != (None, None):
        asked = f"A trend by {query.step}" if days == (None, None) else "A trend of chosen days"
        raise not_public(source.key, asked, "step=month, without from and to")
    return await service.queried(lambda: released_trend.released_trend(source, opd_entry, layanan))


@router.get(
    "/v1/opd/{opd}/breakdown",
    tags=["index"],
    summary=(
        "IKM menurut profil responden / the index by profile of the respondents, layanan or channel"
    ),
    responses=openapi.responses(
        bodies.Breakdown, "A cell for each value that was given", *(401, 403, 404, 409, 422, 503)
    ),
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def opd_breakdown(
    request: Request, service: Service, opd: OpdCode, query: Annotated[BreakdownQuery, Query()]
) -> Response:
    """Live with a key that may read this OPD. Else as released: by layanan like any index.

    By profile or channel for closed triwulan, semesters and years; sel kecil tidak ditampilkan /
    small cells are withheld, with as many others as it takes that nobody can work them out.
    """
    source = service.source(request)
    opd_entry = registered_opd(source.registry, opd)
    window = query.requested_window(source.today)
    question = Question(opd_entry, query.by, window)
    if source.view(opd) == INTERNAL:
        return await service.queried(lambda: breakdown(source, question), is_private=True)
    if query.by == "layanan":
        demand_public_window(source.key, window)
        return await service.queried(
            lambda: released_breakdown.by_layanan(source, opd_entry, window)
        )
    return await service.queried(lambda: closed_breakdown(source, question))


@router.get(
    "/v1/breakdown",
    tags=["index"],
    summary="IKM instansi menurut profil responden / the instansi's index by profile or channel",
    responses=openapi.responses(
        bodies.Breakdown, "A cell for each value that was given", *(401, 403, 409, 422, 503)
    ),
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def instansi_breakdown(
    request: Request, service: Service, query: Annotated[InstansiBreakdownQuery, Query()]
) -> Response:
    """Live with a key that may read all OPDs, else as released, of closed periods."""
    source = service.source(request)
    question = Question(None, query.by, query.requested_window(source.today))
    if source.view() == INTERNAL:
        return await service.queried(lambda: breakdown(source, question), is_private=True)
    return await service.queried(lambda: closed_breakdown(source, question))


@router.get(
    "/v1/receipts/{receipt}",
    tags=["receipts"],
    summary="Nasib satu isian / what became of a submission",
    responses=openapi.responses(
        bodies.ReceiptStatus, "Counted, or parked for a reason", *(401, 404, 422, 503)
    ),
    openapi_extra=openapi.MAY_SEND_KEY,
)
async def receipt_status(request: Request, service: Service, receipt: Receipt) -> Response:
    """A submission that still waits in the inbox is not found yet."""
    source = service.source(request)
    return await service.queried(lambda: service.receipt_status(source, receipt), is_private=True)

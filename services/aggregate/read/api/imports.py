"""The paths of imports: take a file, tell how far it is, cancel it, report what was refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.aggregate.imports.options import (
    PRESETS,
    TEXT_MAX,
    ImportOptions,
    InvalidOptions,
)
from services.aggregate.read import bodies
from services.aggregate.read.api import openapi
from services.aggregate.read.api.import_report import WRITERS, written
from services.aggregate.read.api.refusals import each_once
from services.aggregate.read.api.uploads import Upload
from services.aggregate.read.service import ReadService, Service, json_answer, sent_authorization
from services.aggregate.rolling.rolling_rows import encode
from shared.domain.violation import Violation
from shared.problems import Refused, problem, query_violation
from shared.registry.access import sent_key
from shared.registry.snapshot import Channel
from shared.storage.imports import files

MAPPING_MAX: Final = 16_000  # characters of JSON in the query
SANDBOX: Final = "uji"  # the kind of channels whose submissions are never counted
_JSON: Final = "application/json"
Text = Annotated[str | None, Field(max_length=TEXT_MAX)]
ImportId = Annotated[UUID, Path(description="As given with the 202")]

router = APIRouter(default_response_class=Response, dependencies=[Depends(each_once)])


class ImportQuery(BaseModel):
    """How a file is to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Annotated[
        Literal["template", "limesurvey", "google-forms", "ikm"],
        Field(description="Jenis berkas / what kind of file it is"),
    ] = "template"
    mapping: Annotated[
        str | None,
        Field(max_length=MAPPING_MAX, description="JSON: which column is what; before preset"),
    ] = None
    opd: Annotated[Text, Field(description="Of all rows")] = None
    layanan: Annotated[Text, Field(description="Of all rows")] = None
    sheet: Annotated[Text, Field(description="Of an XLSX file")] = None
    time_format: Annotated[Text, Field(description="Of strptime, like %d/%m/%Y %H:%M:%S")] = None
    timezone: Annotated[Text, Field(description="Of times without one")] = None
    day: Annotated[Text, Field(description="Of all rows, like 2026-05-04")] = None
    dry_run: Annotated[bool, Field(description="Judge all rows and count none")] = False

    def options(self) -> ImportOptions:
        """Return the options. Raises Refused for a mapping that is no JSON."""
        try:
            mapping = self.mapping and msgspec.json.decode(self.mapping, type=dict[str, Any])
        except (ValueError, RecursionError):
            violations = [query_violation("mapping", "malformed-json", "must be a JSON object")]
            raise Refused(problem("invalid-parameter", errors=violations)) from None
        return ImportOptions(**self.model_dump(exclude={"mapping"}), mapping=mapping or None)


class ReportQuery(BaseModel):
    """How the report is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "csv"] = "json"


@router.post(
    "/v1/imports",
    tags=["imports"],
    summary="Impor berkas / import a file of answers",
    status_code=202,
    responses={
        202: openapi.json_response(bodies.ImportStatus, "Kept; read from now on"),
        **openapi.refusals(400, 401, 403, 408, 413, 422, 429, 503),
    },
    openapi_extra={
        **openapi.NEEDS_KEY,
        "requestBody": {
            "required": True,
            "description": f"The file itself, CSV or XLSX. Presets: {', '.join(PRESETS)}",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
    },
)
async def begin_import(
    request: Request, service: Service, query: Annotated[ImportQuery, Query()]
) -> Response:
    """With a key that may submit: the rows are submissions of its channel."""
    channel = _channel_of(request, service)
    options = query.options()
    source = service.public_source()
    if not channel.is_open(source.today):
        raise Refused(problem("forbidden", "the channel is closed"))
    if channel.kind == SANDBOX and not options.dry_run:
        raise Refused(problem("forbidden", "a sandbox imports nothing: add dry_run=true"))
    try:
        options.check(source.registry)
    except InvalidOptions as invalid:
        raise Refused(problem("invalid-parameter", errors=list(invalid.violations))) from None
    upload = Upload(service.engine, service.queries)
    import_id = await upload.receive(request, channel.name, options)
    status = await service.queries.run(lambda: _status(service, import_id, channel))
    headers = {"location": f"/v1/imports/{import_id}", "cache-control": "no-store"}
    return Response(encode(status), 202, headers, _JSON)


@router.get(
    "/v1/imports/{import_id}",
    tags=["imports"],
    summary="Kemajuan impor / how far an import is",
    responses=openapi.responses(
        bodies.ImportStatus, "State, progress and counts", *(401, 403, 404, 422, 429, 503)
    ),
    openapi_extra=openapi.NEEDS_KEY,
)
async def import_status(request: Request, service: Service, import_id: ImportId) -> Response:
    """Ask with a key of the channel that imports."""
    channel = _channel_of(request, service)
    return await service.queried(lambda: _status(service, import_id, channel), is_private=True)


@router.delete(
    "/v1/imports/{import_id}",
    tags=["imports"],
    summary="Batalkan impor / cancel an import",
    status_code=200,
    responses={
        200: openapi.json_response(bodies.ImportStatus, "Cancelled, or over already"),
        **openapi.refusals(401, 403, 404, 422, 429, 503),
    },
    openapi_extra=openapi.NEEDS_KEY,
)
async def cancel_import(request: Request, service: Service, import_id: ImportId) -> Response:
    """What was accepted until then stays counted."""
    channel = _channel_of(request, service)

    def cancel() -> bodies.ImportStatus:
        _status(service, import_id, channel)
        Upload(service.engine, service.queries).cancel(import_id)
        return _status(service, import_id, channel)

    answer = json_answer(await service.queries.run(cancel), is_private=True)
    return Response(answer.body, 200, {"cache-control": "no-store"}, _JSON)


@router.get(
    "/v1/imports/{import_id}/report",
    tags=["imports"],
    summary="Baris yang ditolak / the rows that were refused, with line and reason",
    responses={
        200: {
            "description": "Every refused row so far",
            "content": {
                **openapi.json_response(bodies.ImportReport, "")["content"],
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        **openapi.refusals(401, 403, 404, 422, 429, 503),
    },
    openapi_extra=openapi.NEEDS_KEY,
)
async def import_report(
    request: Request, service: Service, import_id: ImportId, query: Annotated[ReportQuery, Query()]
) -> Response:
    """Kept for 30 days after the import is over."""
    channel = _channel_of(request, service)
    await service.queries.run(lambda: _status(service, import_id, channel))
    writer = WRITERS[query.format]
    return StreamingResponse(
        written(service, import_id, writer),
        media_type=writer.media_type,
        headers={
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="report-{import_id}.{query.format}"',
        },
    )


def _channel_of(request: Request, service: ReadService) -> Channel:
    """Return the channel of the key. Raises Refused for a key that may not submit."""
    registry = service.public_source().registry
    key = sent_key(registry, sent_authorization(request.scope["headers"]))
    channel = registry.channels.get(key.channel or "")
    if not key.may_submit or channel is None:
        raise Refused(problem("forbidden", "imports need a key that may submit"))
    return channel


def _status(service: ReadService, import_id: UUID, channel: Channel) -> bodies.ImportStatus:
    """Return how far an import is. Raises Refused (404) for one of another channel."""
    with service.engine.connect() as connection:
        row = files.status(connection, import_id)
    if row is None or row["channel"] != channel.name:
        violations = [Violation("/path/import_id", "unknown-import", "no import of this channel")]
        raise Refused(problem("not-found", errors=violations))
    return bodies.ImportStatus(
        id=str(import_id),
        status=row["state"],
        channel=row["channel"],
        dry_run=bool(row["options"].get("dry_run")),
        progress=_progress(row),
        rows=row["rows"],
        accepted=row["accepted"],
        refused=row["refused"],
        bytes=row["bytes"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        reason=row["reason"],
        detail=row["detail"],
        assumed=row["assumed"],
        report=f"/v1/imports/{import_id}/report",
    )


def _progress(row: Mapping[str, Any]) -> float:
    if row["state"] == "done":
        return 1.0
    share: float = row["read_bytes"] / row["bytes"] if row["bytes"] else 0.0
    return round(min(share, 0.999), 3)

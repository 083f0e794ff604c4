"""The OpenAPI document: the schemas of the bodies, and what every operation can answer.

FastAPI describes pydantic models alone; the bodies are msgspec's, which writes a figure of every
request, so their schemas come from msgspec and are added to FastAPI's document.
"""

from http import HTTPStatus
from typing import Any, Final

import msgspec

from services.aggregate.read import bodies
from services.aggregate.read.parameters import ABSENT

_BODIES = (
    bodies.Index,
    bodies.OpdIndex,
    bodies.Trend,
    bodies.Breakdown,
    bodies.ReceiptStatus,
    bodies.ImportStatus,
    bodies.ImportReport,
    bodies.Liveness,
    bodies.Readiness,
    bodies.ProblemBody,
)
_REFERENCE = "#/components/schemas/{name}"
_MEANINGS = {
    400: "The request cannot be read",
    401: "An unknown key; or without one, what is not public: `detail` says what is instead",
    403: "The key does not reach so far",
    408: "The file took too long to arrive",
    413: "The file is larger than an import may be",
    404: "Tidak ditemukan / there is no such OPD, layanan or receipt",
    409: "Parameters that are each right contradict each other",
    422: "A parameter is not valid; `errors` points at each",
    429: "Too many unknown keys came from this address",
    503: "The figures cannot be read now: repeat after Retry-After seconds",
}
_HEADERS = {
    "ETag": {"description": "Weak; of the content", "schema": {"type": "string"}},
    "Vary": {"schema": {"type": "string"}},
    "Cache-Control": {"schema": {"type": "string"}},
}
_SECURITY = {"key": {"type": "http", "scheme": "bearer", "description": "a key of the ops team"}}
# Of an operation that answers without a key, and more with one that may read.
MAY_SEND_KEY: Final[dict[str, Any]] = {"security": [{}, {"key": []}]}
# Of an operation that answers nobody without a key.
NEEDS_KEY: Final[dict[str, Any]] = {"security": [{"key": []}]}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
Responses = dict[int | str, dict[str, Any]]


def with_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's document with the schemas of the bodies.

    A default that stands for an absent parameter is none, so it is taken out.
    """
    _, schemas = msgspec.json.schema_components(_BODIES, ref_template=_REFERENCE)
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    components["schemas"] = {**components.get("schemas", {}), **_with_numbers(schemas)}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["schema"].get("default") == ABSENT:
                    del parameter["schema"]["default"]
    return document


def responses(body: type[msgspec.Struct], meaning: str, *statuses: int) -> Responses:
    """Return what an operation answers: 200 with a body, 304, and refusals of these statuses."""
    return {
        200: {**json_response(body, meaning), "headers": _HEADERS},
        304: {"description": "Unchanged since the ETag in If-None-Match", "headers": _HEADERS},
        **refusals(*statuses),
    }


def refusals(*statuses: int) -> Responses:
    """Return the refusals of these statuses."""
    return {status: _refusal(status) for status in statuses}


def json_response(body: type[msgspec.Struct], meaning: str) -> dict[str, Any]:
    """Return a response with a body."""
    content = {"application/json": {"schema": _reference(body)}}
    return {"description": meaning, "content": content}


def _refusal(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _reference(bodies.ProblemBody)}}
    headers = {"headers": _RETRY_AFTER} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return {"description": _MEANINGS[status], "content": content, **headers}


def _reference(body: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=body.__name__)}


def _with_numbers(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a schema in which decimals are numbers: the encoder writes them so."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {name: _with_numbers(value) for name, value in schema.items()}
    if isinstance(schema, list):
        return [_with_numbers(value) for value in schema]
    return schema

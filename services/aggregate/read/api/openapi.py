"""The OpenAPI document: schemas from the bodies themselves, and what every operation can answer."""

from typing import Any

import msgspec

from services.aggregate.read import bodies
from services.aggregate.read.parameters import ABSENT

_ANSWERS = (
    bodies.Index,
    bodies.OpdIndex,
    bodies.Trend,
    bodies.Breakdown,
    bodies.ReceiptStatus,
    bodies.Liveness,
    bodies.Readiness,
    bodies.ProblemBody,
)
_REFERENCE = "#/components/schemas/{name}"
_MEANINGS = {
    404: "Tidak ditemukan / there is no such OPD, layanan or receipt",
    409: "Parameters that are each right contradict each other",
    422: "A parameter is not valid; `errors` points at each",
    503: "The figures cannot be read now: repeat after Retry-After seconds",
}
Responses = dict[int | str, dict[str, Any]]


def schemas() -> dict[str, Any]:
    """The components: what the encoder writes for the bodies. Decimals are written as numbers."""
    _, components = msgspec.json.schema_components(_ANSWERS, ref_template=_REFERENCE)
    found: dict[str, Any] = _numbers(components)
    return found


def document(generated: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with the schemas of the bodies, without the defaults that stand for an absent parameter."""
    components = generated.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **schemas()}
    for operation in (
        operation for item in generated["paths"].values() for operation in item.values()
    ):
        for parameter in operation.get("parameters", ()):
            if parameter["schema"].get("default") == ABSENT:
                del parameter["schema"]["default"]
    return generated


def answers(body: type[msgspec.Struct], meaning: str, *refusals: int) -> Responses:
    """What an operation answers: 200 with a body, 304, and these refusals."""
    tag = {"description": "Weak; of the content", "schema": {"type": "string"}}
    headers = {"ETag": tag, "Cache-Control": {"schema": {"type": "string"}}}
    return {
        200: {
            "description": meaning,
            "headers": headers,
            "content": {"application/json": {"schema": reference(body)}},
        },
        304: {"description": "Unchanged since the ETag in If-None-Match", "headers": headers},
        **{status: refusal(_MEANINGS[status], retry=status == 503) for status in refusals},  # noqa: PLR2004 (HTTP's)
    }


def refusal(meaning: str, *, retry: bool = False) -> dict[str, Any]:
    """A refusal as a problem."""
    content = {"application/problem+json": {"schema": reference(bodies.ProblemBody)}}
    seconds = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return {"description": meaning, "content": content, **({"headers": seconds} if retry else {})}


def reference(body: type[msgspec.Struct]) -> dict[str, str]:
    """A reference to the schema of a body."""
    return {"$ref": _REFERENCE.format(name=body.__name__)}


def _numbers(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {key: _numbers(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_numbers(value) for value in schema]
    return schema

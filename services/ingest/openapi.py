"""The OpenAPI text of the endpoints that FastAPI does not see."""

from typing import Any

from services.ingest.channels.channel import BATCH_MAX_ITEMS
from services.ingest.channels.cloudevents import SOURCE_MAX
from shared.domain.questionnaire import SKM_2017
from shared.domain.respondent import AGE_MAX, EDUCATION, OCCUPATION, SEX
from shared.domain.submission import CODE_MAX, COMMENT_MAX, ID_MAX

# Strings that a text column can hold: no NUL.
_STORABLE = "^[^\\u0000]*$"


def _text(longest: int, shortest: int = 0, **more: object) -> dict[str, Any]:
    return {"type": "string", "minLength": shortest, "maxLength": longest, "pattern": _STORABLE, **more}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: dict[str, Any], required: list[str], **more: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **more,
    }


_SUBMISSION_FIELDS: dict[str, Any] = {
    "id": _text(ID_MAX, 1, description="Unik di dalam kanal / unique within the channel"),
    "opd": _text(CODE_MAX, 1, description="Kode OPD"),
    "layanan": _text(CODE_MAX, 1, description="Kode layanan"),
    "submitted_at": _or_null(
        {
            "type": "string",
            "format": "date-time",
            "pattern": "^(19[0-9]{2}|[2-8][0-9]{3}|9[0-8][0-9]{2})-",
            "description": "RFC 3339; default: time of receipt",
        }
    ),
    "answers": _object(
        {
            unsur.code: {"type": "integer", "minimum": 1, "maximum": 4, "description": unsur.name}
            for unsur in SKM_2017.unsur
        },
        [unsur.code for unsur in SKM_2017.unsur],
    ),
    "respondent": _or_null(
        _object(
            {
                "sex": _or_null({"type": "string", "enum": list(SEX)}),
                "age": _or_null({"type": "integer", "minimum": 0, "maximum": AGE_MAX}),
                "education": _or_null({"type": "string", "enum": list(EDUCATION)}),
                "occupation": _or_null({"type": "string", "enum": list(OCCUPATION)}),
            },
            [],
        )
    ),
    "comment": _or_null(_text(COMMENT_MAX)),
    "questionnaire": _or_null({"type": "string", "enum": [SKM_2017.code], "description": "default: the layanan's"}),
}
_EXAMPLE = {
    "id": "loket3-000123",
    "opd": "disdukcapil",
    "layanan": "ktp-el",
    "submitted_at": "2026-05-04T09:12:00+07:00",
    "answers": {"U1": 4, "U2": 3, "U3": 4, "U4": 4, "U5": 3, "U6": 4, "U7": 4, "U8": 3, "U9": 3},
    "respondent": {"sex": "P", "age": 34, "education": "S1", "occupation": "SWASTA"},
    "comment": "Cepat dan ramah",
}
_ERROR = _object(
    {"pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
    ["pointer", "code", "detail"],
)
_REFUSED = {
    "type": "array",
    "items": _object({"index": {"type": "integer"}, "errors": {"type": "array", "items": _ERROR}}, ["index", "errors"]),
}
_REQUIRED = ["id", "opd", "layanan", "answers"]

SCHEMAS: dict[str, Any] = {
    "Submission": _object(_SUBMISSION_FIELDS, _REQUIRED, examples=[_EXAMPLE]),
    "Accepted": _object(
        {
            "accepted": {"type": "integer", "minimum": 1},
            "receipts": {"type": "array", "items": {"type": "string", "format": "uuid"}},
            "refused": _REFUSED,
        },
        ["accepted", "receipts", "refused"],
    ),
    "Event": {
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _text(ID_MAX, 1, pattern="^[!-~]+$"),
            "source": _text(SOURCE_MAX, 1, pattern="^[!-~]+$", description="URI reference of the sender"),
            "type": _text(256, 1),
            "data": {"$ref": "#/components/schemas/Submission"},
        },
        "required": ["specversion", "id", "source", "type", "data"],
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "judul": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": _ERROR},
            "refused": _REFUSED,
        },
        "required": ["type", "title", "status", "code"],
    },
}
_SUBMISSION = {"$ref": "#/components/schemas/Submission"}
_EVENT = {"$ref": "#/components/schemas/Event"}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _batch(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": BATCH_MAX_ITEMS}


_RESPONSES: dict[str, Any] = {
    "202": {
        "description": "Tersimpan / stored; refused items carry index and errors",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
    },
    "400": _problem("The body is not JSON"),
    "401": _problem("No or unknown channel key"),
    "403": _problem("The key may not send for these OPDs"),
    "408": _problem("The body came too slowly"),
    "413": _problem("Over 1 MiB single, 10 MiB or 10,000 items in a batch"),
    "415": _problem("Other media type or a content encoding"),
    "422": _problem("No submission in the request is valid; every violation has a pointer"),
    "503": _problem("Nothing was stored: repeat the same request after Retry-After seconds"),
}


def _post(summary: str, content: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "tags": ["submissions"],
            "security": [{"key": []}],
            "parameters": parameters,
            "requestBody": {"required": True, "content": content},
            "responses": _RESPONSES,
        }
    }


PATHS: dict[str, Any] = {
    "/v1/submissions": _post(
        "Kirim isian survei / send submissions: an object, an array, or NDJSON",
        {
            "application/json": {"schema": {"oneOf": [_SUBMISSION, _batch(_SUBMISSION)]}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
        [],
    ),
    "/v1/events": _post(
        "Kirim sebagai CloudEvents 1.0 / send as CloudEvents: structured, batch, or binary (ce-* headers)",
        {
            "application/cloudevents+json": {"schema": _EVENT},
            "application/cloudevents-batch+json": {"schema": _batch(_EVENT)},
        },
        [],
    ),
}

"""The OpenAPI text of the endpoints that FastAPI does not see."""

from typing import Any

from fastapi import FastAPI

from services.ingest.formats.cloudevents import SOURCE_MAX
from services.ingest.formats.format import BATCH_MAX_BYTES, BATCH_MAX_ITEMS, MIB
from shared.domain.questionnaire import SCORES, SKM_2017
from shared.domain.respondent import AGE_MAX, EDUCATION, OCCUPATION, SEX
from shared.domain.submission.identity import CODE_MAX, COMMENT_MAX, ID_MAX

# Strings that a text column can hold: no NUL.
_STORABLE = "^[^\\u0000]*$"
_PRINTED = "^[^\\u0000-\\u001f\\u007f]+$"
_PRINTED_WITHOUT_SPACE = "^[^\\u0000-\\u0020\\u007f]+$"


def _text(longest: int, shortest: int = 0, **more: object) -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": shortest,
        "maxLength": longest,
        "pattern": _STORABLE,
        **more,
    }


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _integers(lowest: int, highest: int, **more: object) -> dict[str, Any]:
    """Whole numbers, listed: `integer` would also mean 4.0, which is refused."""
    return {"enum": list(range(lowest, highest + 1)), **more}


def _object(properties: dict[str, Any], required: list[str], **more: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **more,
    }


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_FIELDS: dict[str, Any] = {
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
    "respondent": _or_null(_reference("Respondent")),
    "comment": _or_null(_text(COMMENT_MAX)),
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
_REQUIRED = ["opd", "layanan", "answers"]
_NAMES_THE_STANDARD = {"enum": [SKM_2017.code, None], "description": "default: the layanan's"}
_NAMES_ANOTHER = _text(CODE_MAX, 1, **{"not": {"const": SKM_2017.code}})


def _submission(identity: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """One that answers the questionnaire of the regulation, or one that names another (perhaps a later one)."""
    fields = {"id": identity, **_FIELDS}
    standard = {"questionnaire": _NAMES_THE_STANDARD, "answers": _reference("StandardAnswers")}
    other = {"questionnaire": _NAMES_ANOTHER, "answers": _reference("OtherAnswers")}
    return {
        "anyOf": [
            _object(fields | standard, required),
            _object(fields | other, [*required, "questionnaire"]),
        ],
        "examples": [_EXAMPLE],
    }


_ERROR = _object(
    {"pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
    ["pointer", "code", "detail"],
)
_REFUSED = {
    "type": "array",
    "items": _object(
        {"index": {"type": "integer"}, "errors": {"type": "array", "items": _ERROR}},
        ["index", "errors"],
    ),
}
SCHEMAS: dict[str, Any] = {
    "Submission": _submission(
        _text(ID_MAX, 1, description="Unik di dalam kanal / unique within the channel"),
        ["id", *_REQUIRED],
    ),
    "EventData": _submission(
        _or_null(
            _text(ID_MAX, 1, description="not needed: an event is known by its source and id")
        ),
        _REQUIRED,
    ),
    "StandardAnswers": _object(
        {
            unsur.code: _integers(SCORES[0], SCORES[-1], description=unsur.name)
            for unsur in SKM_2017.unsur
        },
        [unsur.code for unsur in SKM_2017.unsur],
        description="The answers to the questionnaire of PermenPAN-RB 14/2017",
    ),
    "OtherAnswers": {
        "type": "object",
        "propertyNames": {"pattern": _STORABLE},
        "additionalProperties": {"enum": [*SCORES, None]},
        "description": "By the codes of the unsur; judged in full once the questionnaire is known here",
    },
    "Respondent": _object(
        {
            "sex": {"enum": [*SEX, None]},
            "age": {"enum": [*range(AGE_MAX + 1), None]},
            "education": {"enum": [*EDUCATION, None]},
            "occupation": {"enum": [*OCCUPATION, None]},
        },
        [],
        description="What a respondent says of themself; everything may be absent",
    ),
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
            "id": _text(ID_MAX, 1, pattern=_PRINTED),
            "source": _text(
                SOURCE_MAX,
                1,
                pattern=_PRINTED_WITHOUT_SPACE,
                description="URI reference of the sender",
            ),
            "type": {"type": "string", "minLength": 1},
            "data": _reference("EventData"),
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
_SUBMISSION = _reference("Submission")
_EVENT = _reference("Event")


def _problem(description: str, *headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/problem+json": {"schema": _reference("Problem")}},
    }
    if headers:
        answer["headers"] = {
            name: {"required": True, "schema": {"type": "string"}} for name in headers
        }
    return answer


def _batch(item: dict[str, Any]) -> dict[str, Any]:
    """An array is taken when it holds at least one that is good; the others are refused by their index."""
    return {
        "type": "array",
        "items": {"anyOf": [item, {"description": "refused by itself, under its index"}]},
        "contains": item,
        "description": f"At most {BATCH_MAX_ITEMS:,} items and {BATCH_MAX_BYTES // MIB} MiB",
    }


_RESPONSES: dict[str, Any] = {
    "202": {
        "description": "Tersimpan / stored; refused items carry index and errors",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
    },
    "400": _problem("The body is not JSON"),
    "401": _problem("No or unknown channel key", "WWW-Authenticate"),
    "403": _problem("The key may not send for these OPDs"),
    "408": _problem("The body came too slowly"),
    "413": _problem("Over 1 MiB single, 10 MiB or 10,000 items in a batch"),
    "415": _problem("Other media type or a content encoding"),
    "422": _problem("No submission in the request is valid; every violation has a pointer"),
    "503": _problem(
        "Nothing was stored: repeat the same request after Retry-After seconds", "Retry-After"
    ),
}


def _post(summary: str, description: str, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "description": description,
            "tags": ["submissions"],
            "security": [{"key": []}],
            "requestBody": {"required": True, "content": content},
            "responses": _RESPONSES,
        }
    }


PATHS: dict[str, Any] = {
    "/v1/submissions": _post(
        "Kirim isian survei / send submissions: an object, an array, or NDJSON",
        "A single submission may carry its id in the header Idempotency-Key instead. NDJSON: one submission a line.",
        {
            "application/json": {"schema": {"anyOf": [_SUBMISSION, _batch(_SUBMISSION)]}},
            "application/x-ndjson": {
                "schema": {"anyOf": [_SUBMISSION, _batch(_SUBMISSION)]}
            },  # one item a line
        },
    ),
    "/v1/events": _post(
        "Kirim sebagai CloudEvents 1.0 / send as CloudEvents: structured, batch, or binary",
        "Binary: the submission as application/json, and headers ce-specversion, ce-id, ce-source, ce-type.",
        {
            "application/cloudevents+json": {"schema": _EVENT},
            "application/cloudevents-batch+json": {"schema": _batch(_EVENT)},
        },
    ),
}


def document_posts(api: FastAPI) -> None:
    """Add the POST paths, which FastAPI does not see, to the document that it generates."""
    generated = api.openapi

    def openapi() -> dict[str, Any]:
        document = generated()
        document["paths"] = {**PATHS, **document["paths"]}
        components = document.setdefault("components", {})
        components["schemas"] = {**SCHEMAS, **components.get("schemas", {})}
        components["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "channel key"}
        }
        return document

    setattr(api, "openapi", openapi)  # noqa: B010 - FastAPI's documented way to extend the document

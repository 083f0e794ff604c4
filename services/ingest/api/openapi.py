"""The OpenAPI document of ingest: FastAPI's, with the POST paths, which FastAPI does not see."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.ingest.api.schemas import SCHEMAS, reference
from services.ingest.formats.format import BATCH_MAX_BYTES, BATCH_MAX_ITEMS, MIB

_SUBMISSION = reference("Submission")
_EVENT = reference("Event")


def _problem(description: str, *headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }
    if headers:
        answer["headers"] = {
            name: {"required": True, "schema": {"type": "string"}} for name in headers
        }
    return answer


def _batch(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an array: taken when one item is good, while the others are refused."""
    return {
        "type": "array",
        "items": {"anyOf": [item, {"description": "refused by itself, under its index"}]},
        "contains": item,
        "description": f"At most {BATCH_MAX_ITEMS:,} items and {BATCH_MAX_BYTES // MIB} MiB",
    }


_RESPONSES: dict[str, Any] = {
    "202": {
        "description": "Tersimpan / stored; refused items carry index and errors",
        "content": {"application/json": {"schema": reference("Accepted")}},
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


def _tablet(operation: dict[str, Any], statuses: Mapping[str, str]) -> dict[str, Any]:
    """Return an operation of OpenRosa, which answers in XML; the key is in its path."""
    told: dict[str, Any] = {
        status: {"description": description, "content": {"text/xml": {"schema": {}}}}
        for status, description in statuses.items()
    }
    key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
    no_body = {"204": {"description": "Submissions are sent here, up to 10 MB"}}
    responses = told if "requestBody" in operation else no_body | told
    return {"tags": ["tablets"], "parameters": [key], **operation, "responses": responses}


_TABLET_REFUSALS = {
    "403": "No such key, or it may not send for this OPD",
    "429": "Too many unknown keys came from this address",
    "503": "Not now: again after Retry-After seconds",
}
_TABLETS: dict[str, Any] = {
    "get": _tablet({"summary": "Alamat untuk tablet / the address for tablets"}, _TABLET_REFUSALS),
    "post": _tablet(
        {
            "summary": "Kirim dari ODK Collect / send from ODK Collect: OpenRosa 1.0",
            "description": "See channels.md, OpenRosa.",
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["xml_submission_file"],
                            "properties": {
                                "xml_submission_file": {"type": "string", "format": "binary"}
                            },
                        }
                    }
                },
            },
        },
        {
            "202": "Tersimpan / stored: an OpenRosaResponse",
            "400": "No XML of a filled form",
            "404": "A form of another service",
            "408": "The body came too slowly",
            "413": "Over 10 MiB, or 256 KiB of XML",
            "415": "No multipart/form-data",
            "422": "The answers are not valid",
            **_TABLET_REFUSALS,
        },
    ),
}
PATHS: dict[str, Any] = {
    "/v1/key/{key}/submission": _TABLETS,
    "/v1/submissions": _post(
        "Kirim isian survei / send submissions: an object, an array, or NDJSON",
        "A single submission may carry its id in the header Idempotency-Key instead. "
        "NDJSON: one submission a line.",
        {
            "application/json": {"schema": {"anyOf": [_SUBMISSION, _batch(_SUBMISSION)]}},
            "application/x-ndjson": {
                "schema": {"anyOf": [_SUBMISSION, _batch(_SUBMISSION)]}
            },  # one item a line
        },
    ),
    "/v1/events": _post(
        "Kirim sebagai CloudEvents 1.0 / send as CloudEvents: structured, batch, or binary",
        "Binary: the submission as application/json, "
        "and headers ce-specversion, ce-id, ce-source, ce-type.",
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
            "key": {"type": "http", "scheme": "bearer", "description": "a key of the ops team"}
        }
        return document

    setattr(api, "openapi", openapi)  # noqa: B010 - FastAPI's documented way to extend the document

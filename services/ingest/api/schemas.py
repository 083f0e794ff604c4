"""The OpenAPI schemas of what is sent to ingest and what it answers.

They say more than the types that decode it (`shared.wire`) can: no NUL in a text, 4.0 is no
integer, an array is taken when one item is good. Tests hold them to the service.
"""

from typing import Any

from services.ingest.formats.cloudevents import SOURCE_MAX
from shared.domain.questionnaire import SCORES, SKM_2017
from shared.domain.respondent import AGE_MAX, EDUCATION, OCCUPATION, SEX
from shared.domain.submission.identity import CODE_MAX, COMMENT_MAX, ID_MAX, POINT_MAX
from shared.domain.submission.ticket import TYPED_MAX

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
    """List the whole numbers: `integer` would also mean 4.0, which is refused."""
    return {"enum": list(range(lowest, highest + 1)), **more}


def _object(properties: dict[str, Any], required: list[str], **more: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **more,
    }


def reference(name: str) -> dict[str, Any]:
    """Return the reference to a schema of the document."""
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
    "respondent": _or_null(reference("Respondent")),
    "comment": _or_null(_text(COMMENT_MAX)),
    "point": _or_null(
        _text(
            POINT_MAX,
            1,
            pattern="^[A-Za-z0-9._-]+$",
            description="Tempat isian dibuat, misalnya loket-3 / where it was answered",
        )
    ),
    "replaces": _or_null(
        _text(
            ID_MAX,
            1,
            description="id isian terdahulu di kanal yang sama yang digantikannya / "
            "the id of an earlier submission of the same channel that it replaces",
        )
    ),
    "ticket": _or_null(
        _text(
            TYPED_MAX,
            1,
            description="Kode tiket, sebagai ganti id / the code of a ticket, in place of an id",
        )
    ),
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
    """Return the schema of a submission.

    It answers the questionnaire of the regulation, or names another (perhaps a later one).
    """
    fields = {"id": identity, **_FIELDS}
    standard = {"questionnaire": _NAMES_THE_STANDARD, "answers": reference("StandardAnswers")}
    other = {"questionnaire": _NAMES_ANOTHER, "answers": reference("OtherAnswers")}
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
_TRUNCATED = {"type": "boolean", "description": "true: not every violation is listed"}
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
        "description": "By the codes of the unsur; "
        "judged in full once the questionnaire is known here",
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
            "truncated": _TRUNCATED,
            "sandbox": {"const": True, "description": "A key for trials: nothing is counted"},
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
            "data": reference("EventData"),
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
            "truncated": _TRUNCATED,
        },
        "required": ["type", "title", "status", "code"],
    },
}

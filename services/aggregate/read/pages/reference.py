"""An OpenAPI document as plain data for the page /docs: operations by tag, parameters, answers, schemas."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_METHODS = ("get", "post", "put", "patch", "delete")
_REFERENCE = "#/components/schemas/"

Json = Mapping[str, Any]


class Body(NamedTuple):
    """A form of a body and the schemas that it refers to."""

    media_type: str
    schemas: Sequence[str]


class Parameter(NamedTuple):
    """A parameter of an operation."""

    name: str
    place: str
    required: bool
    shape: str
    meaning: str


class Answer(NamedTuple):
    """One status of an operation."""

    status: str
    meaning: str
    bodies: Sequence[Body]


class Operation(NamedTuple):
    """A method of a path."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    secured: bool
    parameters: Sequence[Parameter]
    bodies: Sequence[Body]
    answers: Sequence[Answer]


class Field(NamedTuple):
    """A member of an object."""

    name: str
    shape: str
    schemas: Sequence[str]
    meaning: str


class Schema(NamedTuple):
    """A component."""

    name: str
    meaning: str
    fields: Sequence[Field]


def operations(document: Json) -> list[tuple[str, list[Operation]]]:
    """By their first tag, in the order of the document."""
    groups: dict[str, list[Operation]] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["API"])[0]
                groups.setdefault(tag, []).append(_operation(path, method, item[method]))
    return list(groups.items())


def schemas(document: Json) -> list[Schema]:
    """The components, by name."""
    found = document.get("components", {}).get("schemas", {})
    return [
        Schema(name, schema.get("description", ""), _fields(schema))
        for name, schema in sorted(found.items())
    ]


def shape(schema: Json) -> str:
    """The form of a value in a few words."""
    if "$ref" in schema:
        return "object"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(shape(one) for one in schema[union]))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"[{shape(schema['items'])}]" if isinstance(schema.get("items"), dict) else "[]"
    kind = schema.get("type", "object")
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _operation(path: str, method: str, operation: Json) -> Operation:
    return Operation(
        id=re.sub(r"\W+", "-", f"{method}{path}").strip("-"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        secured=bool(operation.get("security")),
        parameters=[_parameter(one) for one in operation.get("parameters", ())],
        bodies=_bodies(operation.get("requestBody", {})),
        answers=[
            Answer(str(status), one.get("description", ""), _bodies(one))
            for status, one in sorted(
                operation.get("responses", {}).items(), key=lambda item: str(item[0])
            )
        ],
    )


def _parameter(one: Json) -> Parameter:
    schema = one.get("schema", {})
    meaning = one.get("description") or schema.get("description", "")
    return Parameter(one["name"], one["in"], bool(one.get("required")), shape(schema), meaning)


def _bodies(holder: Json) -> list[Body]:
    content = holder.get("content", {})
    return [Body(media_type, _names(one.get("schema", {}))) for media_type, one in content.items()]


def _fields(schema: Json) -> list[Field]:
    members = schema.get("properties", {})
    return [
        Field(name, shape(one), _names(one), one.get("description", ""))
        for name, one in members.items()
    ]


def _names(schema: Json) -> list[str]:
    return list(dict.fromkeys(_references(schema)))


def _references(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(_REFERENCE)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)

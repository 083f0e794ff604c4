"""One OpenAPI document out of those of the two services."""

import json
from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]

_TITLE = "IKM Live"
_SUMMARY = (
    "Menerima isian survei dan menyajikan indeks / takes survey responses and serves the index"
)


def merged(documents: Sequence[Document]) -> Document:
    """The paths and components of all documents in one; of two paths with the same name, the first.

    Two components of one name and different content are told apart: the later one gets a number.
    """
    result: Document = {
        "openapi": documents[0]["openapi"],
        "info": {"title": _TITLE, "summary": _SUMMARY, "version": documents[0]["info"]["version"]},
        "paths": {},
        "components": {},
    }
    for document in documents:
        distinct = _distinct(document, result["components"])
        for path, item in distinct.get("paths", {}).items():
            result["paths"].setdefault(path, item)
        for kind, components in distinct.get("components", {}).items():
            result["components"].setdefault(kind, {}).update(components)
    return result


def _distinct(document: Document, taken: Document) -> Document:
    """The document with every component renamed whose name is taken by another content, and every reference to it."""
    text = json.dumps(document)
    renamed: Document = json.loads(text)
    for kind, components in document.get("components", {}).items():
        for name, content in components.items():
            if taken.get(kind, {}).get(name, content) == content:
                continue
            new = next(
                f"{name}{n}"
                for n in range(2, 1000)
                if f"{name}{n}" not in (taken[kind] | components)
            )
            renamed = _with_reference(
                renamed, f"#/components/{kind}/{name}", f"#/components/{kind}/{new}"
            )
            renamed["components"][kind][new] = renamed["components"][kind].pop(name)
    return renamed


def _with_reference(value: Any, old: str, new: str) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        return {
            key: new if (key, item) == ("$ref", old) else _with_reference(item, old, new)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_reference(item, old, new) for item in value]
    return value

"""One OpenAPI document out of those of the two services."""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

Document = dict[str, Any]

_TITLE = "IKM Live"
_SUMMARY = (
    "Menerima isian survei dan menyajikan indeks / takes survey responses and serves the index"
)


def merged(documents: Sequence[Document]) -> Document:
    """Return one document with all paths and components; of two paths of one name, the first.

    Two components of one name and different content are told apart: the later one gets a number.
    """
    first = documents[0]
    merged_document: Document = {
        "openapi": first["openapi"],
        "info": {"title": _TITLE, "summary": _SUMMARY, "version": first["info"]["version"]},
        "paths": {},
        "components": {},
    }
    for document in documents:
        distinct = _distinct(document, merged_document["components"])
        for path, item in distinct.get("paths", {}).items():
            merged_document["paths"].setdefault(path, item)
        for kind, components in distinct.get("components", {}).items():
            merged_document["components"].setdefault(kind, {}).update(components)
    return merged_document


def _distinct(document: Document, taken: Document) -> Document:
    """Return the document, its components renamed where another content has their name."""
    for kind, components in document.get("components", {}).items():
        for name, content in components.items():
            if taken.get(kind, {}).get(name, content) != content:
                free_name = _free_name(name, taken[kind] | components)
                document = _renamed(document, kind, name, free_name)
    return document


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    return next(f"{name}{n}" for n in count(2) if f"{name}{n}" not in taken)


def _renamed(document: Document, kind: str, name: str, new_name: str) -> Document:
    """Return the document with a component renamed, and every reference to it."""
    reference, new_reference = (f'"#/components/{kind}/{of}"' for of in (name, new_name))
    renamed: Document = json.loads(json.dumps(document).replace(reference, new_reference))
    components = renamed["components"][kind]
    components[new_name] = components.pop(name)
    return renamed

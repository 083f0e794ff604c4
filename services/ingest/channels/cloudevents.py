"""`POST /v1/events`: CloudEvents 1.0 over HTTP, structured, binary and batch; `data` is a submission.

An event is known by its `source` and `id` together (CloudEvents 1.0, "REQUIRED Attributes"); a submission's own id does
not matter here. The mode follows from the Content-Type (HTTP protocol binding 1.0, 3).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from services.ingest.channels.channel import Item, Parsed, Request, Unreadable
from services.ingest.channels.submissions import JSON, array, single
from shared.domain.check import Violation

BATCH = b"application/cloudevents-batch"
STRUCTURED = b"application/cloudevents"
ID_MAX = 128
SOURCE_MAX = 512

_UNSAFE = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_REQUIRED = ("specversion", "id", "source", "type")


class Event(msgspec.Struct):
    """The members of a JSON event that matter here; extension attributes are allowed and ignored."""

    specversion: Any = None
    id: Any = None
    source: Any = None
    type: Any = None
    datacontenttype: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data_base64: Any = None


_EVENT = msgspec.json.Decoder(Event)


def parse(request: Request) -> Parsed:
    """The submissions that the events of a request carry."""
    if request.media_type.startswith(BATCH):
        return Parsed([_structured(item.body) for item in array(request.body)], batch=True)
    if request.media_type.startswith(STRUCTURED):
        return Parsed([_structured(single(request.body, None).body)], batch=False)
    return Parsed([_binary(request)], batch=False)


def _structured(body: bytes) -> Item:
    try:
        event = _EVENT.decode(body)
    except (ValueError, RecursionError):
        return Item(body, violations=[Violation("", "malformed-json", "not a JSON object that holds an event")])
    attributes = {name: getattr(event, name) for name in _REQUIRED}
    violations = list(_violations(attributes))
    has_data = event.data is not msgspec.UNSET
    if has_data and event.data_base64 is not None:
        violations.append(Violation("/data", "ambiguous", "give data or data_base64, not both"))
    data = bytes(event.data) if isinstance(event.data, msgspec.Raw) else _decoded(event.data_base64)
    if data is None:
        violations.append(Violation("/data", "required", "must hold a submission"))
    return Item(data or body, _identity(attributes, violations), violations)


def _binary(request: Request) -> Item:
    attributes = {name: _header(request, name) for name in _REQUIRED}
    if all(value is None for value in attributes.values()) and request.media_type != JSON:
        raise Unreadable("unsupported-media-type", "send a CloudEvent: application/cloudevents+json, or ce-* headers")
    if request.media_type != JSON:
        raise Unreadable("unsupported-media-type", "the data of an event must be application/json")
    violations = list(_violations(attributes))
    return Item(single(request.body, None).body, _identity(attributes, violations), violations)


def _header(request: Request, name: str) -> str | None:
    value = request.header(b"ce-" + name.encode())
    return unquote(value.strip().removeprefix('"').removesuffix('"')) if value is not None else None


def _violations(attributes: Mapping[str, object]) -> Iterator[Violation]:
    for name, value in attributes.items():
        if value is None:
            yield Violation(f"/{name}", "required", "is required by CloudEvents 1.0")
        elif not isinstance(value, str) or not value:
            yield Violation(f"/{name}", "type", "must be a non-empty string")
        elif name == "specversion" and value != "1.0":
            yield Violation("/specversion", "choice", "must be 1.0")
        elif name == "source" and (len(value) > SOURCE_MAX or _UNSAFE.search(value)):
            yield Violation("/source", "format", f"must be a URI reference of at most {SOURCE_MAX} characters")
        elif name == "id" and (len(value) > ID_MAX or "\x00" in value or not value.isprintable()):
            yield Violation("/id", "format", f"must have at most {ID_MAX} printable characters")


def _identity(attributes: Mapping[str, object], violations: list[Violation]) -> str | None:
    # A URI reference holds no space: the first one ends the source.
    return None if violations else f"{attributes['source']} {attributes['id']}"


def _decoded(data: object) -> bytes | None:
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None

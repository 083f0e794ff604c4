"""`POST /v1/events`: CloudEvents 1.0 over HTTP, structured, binary, batch; `data` is a submission.

An event is known by its `source` and `id` together (CloudEvents 1.0, "REQUIRED Attributes"); a
submission's own id does not matter here. The mode follows from the Content-Type (HTTP protocol
binding 1.0, 3).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from services.ingest.formats.format import Item, Parsed, Request, Unreadable
from services.ingest.formats.submissions import FORM, JSON, JSON_HEADER, array, single
from shared.domain.violation import Violation

BATCH = b"application/cloudevents-batch"
STRUCTURED = b"application/cloudevents"
ID_MAX = 128
SOURCE_MAX = 512

_FORMATS = (b"", b"+json")  # of events: JSON, also when it is not said
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")
_REQUIRED = ("specversion", "id", "source", "type")


class CloudEvent(msgspec.Struct):
    """The members of a JSON event that matter here; all others are allowed and ignored."""

    specversion: Any = None
    id: Any = None
    source: Any = None
    type: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data_base64: Any = None


class Data(NamedTuple):
    """What an event carries, where, and what is wrong with that."""

    body: bytes
    pointer: str
    violations: list[Violation]


_EVENT = msgspec.json.Decoder(CloudEvent)


def parse(request: Request) -> Parsed:
    """Return the submissions that the events of a request carry."""
    for prefix, is_batch in ((BATCH, True), (STRUCTURED, False)):
        if request.media_type.startswith(prefix):
            if request.media_type.removeprefix(prefix) not in _FORMATS:
                raise Unreadable(
                    "unsupported-media-type", "only the JSON format of CloudEvents is understood"
                )
            events = array(request.body) if is_batch else [single(request.body, None)]
            return Parsed([_structured(event.body) for event in events], is_batch)
    return Parsed([_binary(request)], is_batch=False)


def _structured(body: bytes) -> Item:
    try:
        event = _EVENT.decode(body)
    except msgspec.ValidationError:
        return Item(b"", violations=[Violation("", "type", "must be an object")])
    except (ValueError, RecursionError):
        return Item(b"", violations=[Violation("", "malformed-json", "not a JSON document")])
    attributes = {name: getattr(event, name) for name in _REQUIRED}
    data = _data(event)
    violations = [*_violations(attributes, "/"), *data.violations]
    return Item(data.body, _identity(attributes, violations), violations, data.pointer)


def _data(event: CloudEvent) -> Data:
    if event.data_base64 is None:
        if isinstance(event.data, msgspec.Raw):
            return Data(bytes(event.data), "/data", [])
        return Data(b"", "/data", [Violation("/data", "required", "must hold a submission")])
    if isinstance(event.data, msgspec.Raw):
        return Data(
            b"", "/data", [Violation("/data", "ambiguous", "give data or data_base64, not both")]
        )
    decoded = _decoded(event.data_base64)
    if decoded:
        return Data(decoded, "/data_base64", [])
    violation = Violation("/data_base64", "format", "must hold a submission in Base64")
    return Data(b"", "/data_base64", [violation])


def _binary(request: Request) -> Item:
    headers = {name: request.header(b"ce-" + name.encode()) for name in _REQUIRED}
    is_event = any(headers.values())
    # Without a Content-Type nothing is said of the data: Python's SDK sends events so.
    if request.media_type != JSON and not (is_event and not request.media_type):
        raise Unreadable("unsupported-media-type", _advice(request.media_type, is_event=is_event))
    attributes = {name: _header_value(value) for name, value in headers.items()}
    violations = list(_violations(attributes, "/header/ce-"))
    return Item(single(request.body, None).body, _identity(attributes, violations), violations)


def _advice(media_type: bytes, *, is_event: bool) -> str:
    if media_type == FORM:
        return f"the data of an event must be application/json: {JSON_HEADER}"
    if is_event:
        return "the data of an event must be application/json"
    return "send a CloudEvent: application/cloudevents+json, or ce-* headers"


def _header_value(header: str | None) -> object:
    """Decode a header: percent-encoded UTF-8, perhaps in quotes (HTTP binding 1.0, 3.1.3.2)."""
    if header is None:
        return None
    try:
        return unquote(header.strip().removeprefix('"').removesuffix('"'), errors="strict")
    except UnicodeDecodeError:  # replacing what is wrong would make one id of two
        return header.encode()


def _violations(attributes: Mapping[str, object], pointer: str) -> Iterator[Violation]:
    for name, value in attributes.items():
        if value is None:
            yield Violation(f"{pointer}{name}", "required", "is required by CloudEvents 1.0")
        elif not isinstance(value, str) or not value:
            yield Violation(f"{pointer}{name}", "type", "must be a non-empty string of UTF-8")
        elif name == "specversion" and value != "1.0":
            yield Violation(f"{pointer}{name}", "choice", "must be 1.0")
        elif name == "source" and (len(value) > SOURCE_MAX or _CONTROL_OR_SPACE.search(value)):
            yield Violation(
                f"{pointer}{name}",
                "format",
                f"must be a URI reference of at most {SOURCE_MAX} characters",
            )
        elif name == "id" and (len(value) > ID_MAX or _CONTROL.search(value)):
            yield Violation(
                f"{pointer}{name}",
                "format",
                f"must have at most {ID_MAX} characters, none for control",
            )


def _identity(attributes: Mapping[str, object], violations: list[Violation]) -> str | None:
    # A URI reference holds no space: the first one ends the source.
    return None if violations else f"{attributes['source']} {attributes['id']}"


def _decoded(data: object) -> bytes:
    if not isinstance(data, str):
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""

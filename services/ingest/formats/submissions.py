"""`POST /v1/submissions`: one JSON object, a JSON array, or NDJSON (one object a line)."""

import msgspec

from services.ingest.formats.format import (
    BATCH_MAX_ITEMS,
    SINGLE_MAX_BYTES,
    Item,
    Parsed,
    Request,
    Unreadable,
)
from shared.domain.submission.identity import ID_MAX
from shared.domain.violation import Violation

JSON = b"application/json"
NDJSON = frozenset({b"application/x-ndjson", b"application/ndjson", b"application/jsonl"})

FORM = b"application/x-www-form-urlencoded"  # what curl -d says when it is told nothing else
JSON_HEADER = (
    "add the header Content-Type: application/json (curl: -H 'Content-Type: application/json')"
)

_BAD_KEY = Violation(
    "/header/idempotency-key", "format", f"must have 1 to {ID_MAX} printable characters"
)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_WHITE = b" \t\r\n"


def parse(request: Request) -> Parsed:
    """Return the submissions of a request."""
    if request.media_type == JSON:
        body = request.body.lstrip(_WHITE)
        if body.startswith(b"["):
            return Parsed(array(body), is_batch=True)
        return Parsed([single(body, request.headers.get(b"idempotency-key"))], is_batch=False)
    if request.media_type in NDJSON:
        lines = [line for line in request.body.split(b"\n") if line and not line.isspace()]
        return Parsed(limited([Item(line) for line in lines]), is_batch=True)
    advice = "send application/json or application/x-ndjson"
    if request.media_type == FORM:
        advice = f"{advice}, not a form: {JSON_HEADER}"
    raise Unreadable("unsupported-media-type", advice)


def single(body: bytes, idempotency_key: bytes | None) -> Item:
    """Return the one object; without an id of its own it has that of the header Idempotency-Key."""
    if len(body) > SINGLE_MAX_BYTES:
        raise Unreadable("too-large", "one submission may have 1 MiB")
    if idempotency_key is None or _has_id(body):
        return Item(body)
    # The draft's form is a quoted string; many send it bare.
    source_id = idempotency_key.decode("latin-1").strip().strip('"')
    if len(source_id) > ID_MAX or not source_id.isprintable():
        return Item(body, violations=[_BAD_KEY])
    return Item(body, source_id or None)


def array(body: bytes) -> list[Item]:
    """Return the items of a JSON array, each as its own bytes."""
    try:
        return limited([Item(bytes(raw)) for raw in _ARRAY.decode(body)])
    except (ValueError, RecursionError) as error:
        detail = "too deeply nested" if isinstance(error, RecursionError) else str(error)
        raise Unreadable("malformed-json", detail) from None


def limited(items: list[Item]) -> list[Item]:
    """Return the items; Unreadable when they are too many or none."""
    if len(items) > BATCH_MAX_ITEMS:
        raise Unreadable(
            "too-large", f"a batch may have {BATCH_MAX_ITEMS:,} submissions, not {len(items):,}"
        )
    if not items:
        raise Unreadable("invalid-submission", "the batch holds no submission")
    return items


class _Identified(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw(b"null")


_IDENTIFIED = msgspec.json.Decoder(_Identified)


def _has_id(body: bytes) -> bool:
    try:
        return bytes(_IDENTIFIED.decode(body).id) != b"null"
    except (ValueError, RecursionError):
        return False

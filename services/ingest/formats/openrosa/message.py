"""What a tablet is answered: an OpenRosaResponse, whose message Collect shows, and its headers."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from services.ingest.formats.format import Reply
from services.ingest.replies import Accepted
from shared.problems import Problem

# A little less than a body may have: the parts' boundaries are counted by the client or not.
CONTENT_MAX_BYTES: Final = 10_000_000
MEDIA_TYPE: Final = b"text/xml; charset=utf-8"
THANKS: Final = "Terima kasih, isian sudah diterima. / Thank you, the answers have been received."
_ERRORS_TOLD = 3
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEADERS: Final[Mapping[str, str]] = {
    "x-openrosa-version": "1.0",
    "content-language": "id",
    "cache-control": "no-store",
}
SUBMISSION_HEADERS: Final[Mapping[str, str]] = {
    **HEADERS,
    "x-openrosa-accept-content-length": str(CONTENT_MAX_BYTES),
}
_KEPT: Final = b"retry-after"  # of a problem's headers


def reply(_request: object, answer: Accepted | Problem) -> Reply:
    """Return what a tablet is answered: thanks, or why not."""
    if isinstance(answer, Accepted):
        return _THANKS
    kept = [header for header in answer.headers if header[0] == _KEPT]
    told: dict[str, Any] = msgspec.json.decode(answer.body)
    return Reply(_status(answer), MEDIA_TYPE, response(_reason(told), "error"), [*_HEADERS, *kept])


def response(text: str, nature: str) -> bytes:
    """Return an OpenRosaResponse with one message."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f'<message nature="{nature}">{xml_text(text)}</message></OpenRosaResponse>'
    ).encode()


def _status(problem: Problem) -> int:
    """Return a problem's status, but for 401: at that Collect asks for a password."""
    return HTTPStatus.FORBIDDEN if problem.status == HTTPStatus.UNAUTHORIZED else problem.status


def _reason(told: Mapping[str, Any]) -> str:
    reasons = [
        f"{error['pointer'].removeprefix('/xml_submission_file')}: {error['detail']}"
        for error in told.get("errors", ())[:_ERRORS_TOLD]
        if error["pointer"]
    ] or [told.get("detail", told["title"])]
    return f"{told['judul']}. {told['title']}: {'; '.join(reasons)}"


def xml_text(text: str) -> str:
    """Return a text as XML holds it; what XML cannot hold is left out."""
    return escape(_NO_XML.sub("", text), {'"': "&quot;"})


_HEADERS: Final = [(name.encode(), text.encode()) for name, text in SUBMISSION_HEADERS.items()]
_THANKS: Final = Reply(202, MEDIA_TYPE, response(THANKS, "submit_success"), _HEADERS)

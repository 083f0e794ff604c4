"""What a tablet is answered: an OpenRosaResponse, whose message Collect shows, and its headers."""

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

# A little less than a body may have: the parts' boundaries are counted by the client or not.
CONTENT_MAX_BYTES: Final = 10_000_000
MEDIA_TYPE: Final = "text/xml; charset=utf-8"
THANKS: Final = "Terima kasih, isian sudah diterima. / Thank you, the answers have been received."
_ERRORS_TOLD = 3
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEADERS: Final[Mapping[str, str]] = {
    "X-OpenRosa-Version": "1.0",
    "Content-Language": "id",
    "Cache-Control": "no-store",
}
SUBMISSION_HEADERS: Final[Mapping[str, str]] = {
    **HEADERS,
    "X-OpenRosa-Accept-Content-Length": str(CONTENT_MAX_BYTES),
}


def thanks() -> bytes:
    """Return the message of a submission that was stored."""
    return response(THANKS, nature="submit_success")


def response(text: str, nature: str) -> bytes:
    """Return an OpenRosaResponse with one message."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f'<message nature="{nature}">{xml_text(text)}</message></OpenRosaResponse>'
    ).encode()


def refusal(problem: bytes) -> tuple[int, bytes]:
    """Return status and message of a problem's body.

    An unknown key is 403: at a 401 Collect asks for a password, which nobody has.
    """
    told: dict[str, Any] = msgspec.json.decode(problem)
    reasons = [
        f"{error['pointer'].removeprefix('/xml_submission_file')}: {error['detail']}"
        for error in told.get("errors", ())[:_ERRORS_TOLD]
        if error["pointer"]
    ] or [told.get("detail", told["title"])]
    status = 403 if told["status"] == 401 else told["status"]  # noqa: PLR2004 (said above)
    return status, response(f"{told['judul']}. {told['title']}: {'; '.join(reasons)}", "error")


def xml_text(text: str) -> str:
    """Return a text as XML holds it; what XML cannot hold is left out."""
    return escape(_NO_XML.sub("", text), {'"': "&quot;"})

"""A listener on this machine alone: a counter's program posts here whether there is a line or not.

It speaks as the service does (`POST /v1/submissions`, one JSON object, 202), without a key: the
relay has it. 202 means on disk, in the outbox. It asks for application/json, which a page of
another site cannot send here without asking first.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from services.ops.client import SUBMISSIONS
from services.ops.relay.outbox import SUBMISSION_MAX_BYTES, Outbox
from shared.domain.errors import IkmError
from shared.domain.submission.identity import ID_MAX

HOST: Final = "127.0.0.1"
_TIMEOUT_S: Final = 30
_LENGTH: Final = re.compile(r"[0-9]{1,9}")


class _Declined(IkmError):
    """What was posted is not kept."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class OutboxListener(ThreadingHTTPServer):
    """Takes submissions into an outbox."""

    daemon_threads = True

    def __init__(self, port: int, outbox: Outbox) -> None:
        super().__init__((HOST, port), _Handler)
        self.outbox = outbox


class _Handler(BaseHTTPRequestHandler):
    timeout = _TIMEOUT_S
    server: OutboxListener

    def do_POST(self) -> None:
        """Keep one submission."""
        status, answer = HTTPStatus.ACCEPTED, dict[str, object](accepted=1)
        try:
            answer["id"] = self._keep()
        except _Declined as declined:
            status, answer = declined.status, {"detail": declined.detail}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Tell nothing: a line per answer is no news."""

    def _keep(self) -> str:
        """Keep what was posted and return its id."""
        if self.path != SUBMISSIONS:
            raise _Declined(HTTPStatus.NOT_FOUND, f"POST to {SUBMISSIONS}")
        if self.headers.get_content_type() != "application/json":
            raise _Declined(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        document = _document(self._body())
        key = self.headers.get("idempotency-key", "").strip().strip('"')
        source_id = document.get("id") or key
        if not isinstance(source_id, str) or not 1 <= len(source_id) <= ID_MAX:
            detail = f"an id needs 1 to {ID_MAX} characters"
            raise _Declined(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        try:
            self.server.outbox.keep(json.dumps({**document, "id": source_id}).encode(), source_id)
        except (OSError, ValueError) as error:  # a full disk, half of a surrogate pair
            detail = "cannot be stored on this machine"
            raise _Declined(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
        return source_id

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not _LENGTH.fullmatch(length):
            raise _Declined(HTTPStatus.LENGTH_REQUIRED, "send Content-Length")
        if int(length) > SUBMISSION_MAX_BYTES:
            self.close_connection = True
            raise _Declined(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "one submission may have 1 MiB")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Declined(HTTPStatus.BAD_REQUEST, "the body ended early")
        return body


def _document(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _Declined(HTTPStatus.BAD_REQUEST, "not a JSON document") from None
    if not isinstance(document, dict):
        raise _Declined(HTTPStatus.UNPROCESSABLE_ENTITY, "send one submission, an object")
    return document


@contextmanager
def listening(port: int, outbox: Outbox) -> Iterator[int]:
    """Listen while the block lasts; gives the port."""
    server = OutboxListener(port, outbox)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

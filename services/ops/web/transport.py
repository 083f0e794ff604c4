"""What the protocol puts between uvicorn and the socket: its closing, and an answer of its own."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from shared.problems import Problem


class PartingTransport(asyncio.Transport):
    """Hands everything on, except `close`."""

    def __init__(self, raw: asyncio.Transport, part: Callable[[], None]) -> None:
        super().__init__()
        self._raw = raw
        self._part = part
        self._is_parting = False
        # What every request uses costs no call more than without this class.
        vars(self).update(
            write=raw.write, pause_reading=raw.pause_reading, resume_reading=raw.resume_reading
        )

    def close(self) -> None:
        """Let the protocol part."""
        self._is_parting = True
        self._part()

    def is_closing(self) -> bool:
        """Whether this was the last answer."""
        return self._is_parting or self._raw.is_closing()

    def get_extra_info(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - asyncio's
        """Return what the transport knows of itself."""
        return self._raw.get_extra_info(name, default)


def last_answer(refusal: Problem, more_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a problem as the bytes of a response after which the connection is closed."""
    headers = [*more_headers, *refusal.headers, (b"connection", b"close")]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"".join((STATUS_LINE[refusal.status], lines, b"\r\n", refusal.body))

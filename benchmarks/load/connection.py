"""A connection of the load clients: HTTP/1.1, kept alive, one request under way.

An answer is taken apart no further than its status and length. A request costs its client 14 to 22
µs of CPU so, and 1,400 to 2,800 by httpx: with a library the client would be what is measured.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

HEADER_END = b"\r\n\r\n"
LENGTH = b"content-length:"
STATUS = slice(9, 12)  # of "HTTP/1.1 202 Accepted"


class LoadFailed(Exception):
    """The server closed a connection in use, or answered in a way that is not read here."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address for clients that speak HTTP by a library."""
        return f"http://{self.host}:{self.port}"


def request(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Return the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + HEADER_END + body


class Connection(asyncio.Protocol):
    """One connection; `answered` is told head and body of each answer."""

    __slots__ = ("_answered", "_lost", "_received", "_transport", "sent_s")

    def __init__(self, answered: "Answered", lost: Callable[[], None]) -> None:
        self._answered = answered
        self._lost = lost
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (uvloop's has the methods of asyncio.Transport, not its type)."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner (who may have closed it)."""
        del exc
        self._lost()

    def send(self, request: bytes, now: float) -> None:
        """Send the next request; `now` is what its latency is measured from."""
        assert self._transport is not None
        self.sent_s = now
        self._transport.write(request)

    def close(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take apart what has arrived; report it once the answer is whole."""
        if self._received:
            data = self._received + data
        end = data.find(HEADER_END)
        if end < 0 or len(data) < (whole := end + 4 + _body_length(data, end)):
            self._received = data
            return
        self._received = b""
        self._answered(self, data[:end], data[end + 4 : whole])


Answered = Callable[[Connection, bytes, bytes], None]


async def connect(address: Address, answered: Answered, lost: Callable[[], None]) -> Connection:
    """Open one connection."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(answered, lost), address.host, address.port
    )
    return connection


def _body_length(data: bytes, end: int) -> int:
    start = data.find(LENGTH, 0, end)
    if start < 0:
        start = data[:end].lower().find(LENGTH)
    if start >= 0:
        start += len(LENGTH)
        return int(data[start : data.find(b"\r\n", start, end + 2)])
    if data[STATUS] in {b"204", b"304"}:
        return 0
    raise LoadFailed(f"an answer without content-length: {data[:end]!r}")

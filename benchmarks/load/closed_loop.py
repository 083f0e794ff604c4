"""A load client for HTTP/1.1: keep-alive connections, one request under way on each, as fast as they are answered.

The bytes of every request exist before the clock starts, and an answer is taken apart no further
than its status and length: one core of this client is worth several cores of any Python server.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import uvloop

HEADER_END = b"\r\n\r\n"
LENGTH = b"content-length:"
STATUS = slice(9, 12)  # of "HTTP/1.1 202 Accepted"

T = TypeVar("T")


class LoadFailed(Exception):
    """The server closed a connection that was in use, or answered in a way that this client does not read."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one load did: its duration in seconds, the answers by status, the latencies in seconds (ascending).

    `bodies` holds the first body of each status.
    """

    seconds: float
    statuses: Mapping[int, int]
    latencies: Sequence[float]
    bodies: Mapping[int, bytes]

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that `share` (0 to 1) of the answers did not exceed, in seconds."""
        return percentile(self.latencies, share)

    def expect(self, status: int) -> "Outcome":
        """This outcome, when every answer had `status`; LoadFailed otherwise."""
        if set(self.statuses) != {status}:
            raise LoadFailed(
                f"expected nothing but {status}, got {dict(self.statuses)}, such as {dict(self.bodies)}"
            )
        return self


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed (nearest rank)."""
    return ascending[max(0, -int(-share * len(ascending) // 1) - 1)]


def request(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + HEADER_END + body


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way; `answered` is told head and body of each answer."""

    __slots__ = ("_answered", "_lost", "_received", "_transport", "sent_at")

    def __init__(self, answered: "Answered", lost: Callable[[], None]) -> None:
        self._answered = answered
        self._lost = lost
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.sent_at = 0.0

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
        self.sent_at = now
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


def drive(
    address: Address, requests: Iterable[bytes], *, connections: int = 64, seconds: float = 5.0
) -> Outcome:
    """Send `requests` in turn, on each connection the next one as soon as it is answered, for at most `seconds`."""
    return run(_drive(address, iter(requests), connections, seconds))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a fresh uvloop, with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.enable()


class Tally:
    """What came back: fed with every answer, on the way to an Outcome."""

    __slots__ = ("_bodies", "_latencies", "_statuses")

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._statuses: Counter[bytes] = Counter()
        self._bodies: dict[bytes, bytes] = {}

    def add(self, latency: float, head: bytes, body: bytes) -> None:
        """Note one answer."""
        status = head[STATUS]
        self._latencies.append(latency)
        self._statuses[status] += 1
        if status not in self._bodies:
            self._bodies[status] = body

    def outcome(self, seconds: float) -> Outcome:
        """All of it."""
        statuses = {int(status): number for status, number in self._statuses.items()}
        bodies = {int(status): body[:500] for status, body in self._bodies.items()}
        return Outcome(seconds, statuses, sorted(self._latencies), bodies)


class _ClosedLoop:
    """The state of one load: what is still to be sent, and what came back."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.tally = Tally()
        self.deadline = 0.0
        self.busy = 0
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def begin(self, connections: Sequence[Connection], seconds: float) -> float:
        """Send the first request on every connection."""
        started = time.perf_counter()
        self.deadline = started + seconds
        for connection in connections:
            following = next(self.requests, None)
            if following is not None:
                self.busy += 1
                connection.send(following, time.perf_counter())
        return started

    def answered(self, connection: Connection, head: bytes, body: bytes) -> None:
        """Note one answer and send the next request on its connection."""
        now = time.perf_counter()
        self.tally.add(now - connection.sent_at, head, body)
        if now < self.deadline and (following := next(self.requests, None)) is not None:
            connection.send(following, now)
            return
        self.busy -= 1
        if self.busy == 0:
            self.done.set_result(now)

    def lost(self) -> None:
        """A connection is gone: while requests are under way that ends the load."""
        if not self.done.done():
            self.done.set_exception(LoadFailed("the server closed a connection in use"))


async def _drive(
    address: Address, requests: Iterator[bytes], connections: int, seconds: float
) -> Outcome:
    state = _ClosedLoop(requests)
    opened = [await connect(address, state.answered, state.lost) for _ in range(connections)]
    started = state.begin(opened, seconds)
    ended = await asyncio.wait_for(state.done, seconds + 60)
    for connection in opened:
        connection.close()
    return state.tally.outcome(ended - started)


def _body_length(data: bytes, end: int) -> int:
    at = data.find(LENGTH, 0, end)
    if at < 0:
        at = data[:end].lower().find(LENGTH)
    if at >= 0:
        at += len(LENGTH)
        return int(data[at : data.find(b"\r\n", at, end + 2)])
    if data[STATUS] in {b"204", b"304"}:
        return 0
    raise LoadFailed(f"an answer without content-length: {data[:end]!r}")

"""A load at a steady rate: requests are sent when they are due, answered or not.

Latencies count from the moment at which a request was due, so that a server that stalls is not
excused.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence

from benchmarks.load.connection import Address, Connection, LoadFailed, connect
from benchmarks.load.outcome import Outcome, Tally

TICK_S = 0.001
PATIENCE_S = 60.0


async def paced(
    address: Address, requests: Iterator[bytes], rate: float, seconds: float, connections: int = 64
) -> Outcome:
    """Send `rate` requests a second for `seconds`; returns when all are answered."""
    state = _OpenLoop(requests, rate, seconds)
    opened = [await connect(address, state.answered, state.lost) for _ in range(connections)]
    started = state.begin(opened)
    ended = await asyncio.wait_for(state.done, seconds + PATIENCE_S)
    for connection in opened:
        connection.close()
    return state.tally.outcome(ended - started)


class _OpenLoop:
    """The state of one load: what is due, what waits for a free connection, what came back."""

    def __init__(self, requests: Iterator[bytes], rate: float, seconds: float) -> None:
        self._requests = requests
        self._interval_s = 1 / rate
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._idle: deque[Connection] = deque()  # in turn: a server closes what rests too long
        self._connections = 0
        self._late: deque[tuple[bytes, float]] = deque()
        self._due_s = self._end_s = 0.0
        self.tally = Tally()
        self.done: asyncio.Future[float] = self._loop.create_future()

    def begin(self, connections: Sequence[Connection]) -> float:
        """Start the clock."""
        self._idle.extend(connections)
        self._connections = len(connections)
        self._due_s = started = time.perf_counter()
        self._end_s = started + self._seconds
        self._tick()
        return started

    def answered(self, connection: Connection, head: bytes, body: bytes) -> None:
        """Note one answer; its connection takes what is late, or rests."""
        now = time.perf_counter()
        self.tally.add(now - connection.sent_s, head, body)
        if self._late:
            connection.send(*self._late.popleft())
            return
        self._idle.append(connection)
        if self._due_s >= self._end_s and len(self._idle) == self._connections:
            self.done.set_result(now)

    def lost(self) -> None:
        """A connection is gone, which ends a load that is not done."""
        if not self.done.done():
            self.done.set_exception(LoadFailed("the server closed a connection in use"))

    def _tick(self) -> None:
        now = time.perf_counter()
        while self._due_s < min(now, self._end_s):
            request = next(self._requests)
            if self._idle:
                self._idle.popleft().send(request, self._due_s)
            else:
                self._late.append((request, self._due_s))
            self._due_s += self._interval_s
        if self._due_s < self._end_s:
            self._loop.call_later(TICK_S, self._tick)

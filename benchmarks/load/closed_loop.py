"""A load as fast as it is answered: on each connection the next request once one is answered.

The bytes of every request exist before the clock starts.
"""

import asyncio
import gc
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import uvloop

from benchmarks.interrupts import run_interruptible
from benchmarks.load.connection import Address, Connection, LoadFailed, connect
from benchmarks.load.outcome import Outcome, Tally

T = TypeVar("T")


def drive(
    address: Address, requests: Iterable[bytes], *, connections: int = 64, seconds: float = 5.0
) -> Outcome:
    """Send `requests` in turn for at most `seconds`, one under way on each connection."""
    return run(_drive(address, iter(requests), connections, seconds))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a fresh uvloop, with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return run_interruptible(runner, work)
    finally:
        gc.enable()


class _ClosedLoop:
    """The state of one load: what is still to be sent, and what came back."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.tally = Tally()
        self.deadline_s = 0.0
        self.busy = 0
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def begin(self, connections: Sequence[Connection], seconds: float) -> float:
        """Send the first request on every connection."""
        started = time.perf_counter()
        self.deadline_s = started + seconds
        for connection in connections:
            following = next(self.requests, None)
            if following is not None:
                self.busy += 1
                connection.send(following, time.perf_counter())
        return started

    def answered(self, connection: Connection, head: bytes, body: bytes) -> None:
        """Note one answer and send the next request on its connection."""
        now = time.perf_counter()
        self.tally.add(now - connection.sent_s, head, body)
        if now < self.deadline_s and (following := next(self.requests, None)) is not None:
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

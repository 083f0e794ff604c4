"""Requests that are awaited one by one, on the connections of the load clients: for probes.

Beside a load they are sent a few hundred times a second; by httpx that would take half a core.
"""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.load.connection import STATUS, Address, Connection, LoadFailed, connect

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and when it was there (time.perf_counter)."""

    status: int
    body: bytes
    arrived_s: float


class Asker:
    """One connection, opened anew when the server has closed it, with one request at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None
        self._answer: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send `request` and await its answer."""
        if self._connection is None:
            self._connection = await connect(self._address, self._answered, self._lost)
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send(request, time.perf_counter())
        return await asyncio.wait_for(self._answer, PATIENCE_S)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _answered(self, _: Connection, head: bytes, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(int(head[STATUS]), body, time.perf_counter()))

    def _lost(self) -> None:
        self._connection = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadFailed("the server closed a connection in use"))

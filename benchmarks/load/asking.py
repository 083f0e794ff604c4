"""Requests that are awaited one by one: for probes and preparations, on the connections of the load client."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.load.closed_loop import STATUS, Address, Connection, LoadFailed, connect

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and when it was there (time.perf_counter)."""

    head: bytes
    body: bytes
    at: float

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.head[STATUS])

    def header(self, name: str) -> str:
        """The value of a header; KeyError when it is not there."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            found, _, value = line.partition(":")
            if found.lower() == name:
                return value.strip()
        raise KeyError(name)


class Asker:
    """One keep-alive connection, opened anew when the server has closed it, with one request at a time."""

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
        return await asyncio.wait_for(self._answer, PATIENCE)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _answered(self, _: Connection, head: bytes, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(head, body, time.perf_counter()))

    def _lost(self) -> None:
        self._connection = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadFailed("the server closed a connection in use"))


def ask(address: Address, request: bytes) -> Answer:
    """Send one request on a connection of its own."""

    async def once() -> Answer:
        asker = Asker(address)
        try:
            return await asker.ask(request)
        finally:
            asker.close()

    return asyncio.run(once())

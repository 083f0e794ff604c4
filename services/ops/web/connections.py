"""The connections of one process: how many there may be, which goes first, which have expired."""

import asyncio
import logging
import sys
from collections import Counter
from time import monotonic
from typing import Any, ClassVar, Protocol
from weakref import WeakKeyDictionary

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from shared.problems import problem

log = logging.getLogger(__name__)

RESERVED = 64  # connections over the limit: probes are answered on them, all else is refused
PROBES = frozenset({"/healthz", "/readyz"})
NEWCOMER_S = 1.0  # so old is a connection whose head is missing before it makes room for another
PENDING_MAX_BYTES = 16 * 1024 * 1024  # of unfinished heads, in all connections together
CROWDED = 0.75  # share of the limit from which on idle connections are closed soon
CROWDED_IDLE_S = 5.0
SWEEP_INTERVAL_S = 0.5
REPORT_INTERVAL_S = 60.0

_BUSY = problem("too-busy")


class Closable(Protocol):
    """A connection that can be made to go."""

    def abort(self) -> None:
        """Close at once."""


class Connections:
    """What the connections of one server share; swept as long as there is one."""

    _of_servers: ClassVar[WeakKeyDictionary[ServerState, "Connections"]] = WeakKeyDictionary()

    def __init__(self, connections: set[Any], limit: int, loop: asyncio.AbstractEventLoop) -> None:
        self.connections = connections  # uvicorn's own set
        self.limit = limit
        self._loop = loop
        self._is_swept = False
        self.pending_bytes = 0
        self.refusals: Counter[str] = Counter()
        self._newcomers: dict[Closable, float] = {}  # those without a head, the oldest first
        self._report_due_s = monotonic() + REPORT_INTERVAL_S

    @classmethod
    def of(
        cls, server: ServerState, limit: int | None, loop: asyncio.AbstractEventLoop
    ) -> "Connections":
        """Return what the connections of this server share."""
        if server not in cls._of_servers:
            cls._of_servers[server] = cls(server.connections, limit or sys.maxsize, loop)
        return cls._of_servers[server]

    @property
    def has_too_much_pending(self) -> bool:
        """Whether unfinished heads take too much memory together."""
        return self.pending_bytes > PENDING_MAX_BYTES

    def admits(self, newcomer: Closable) -> bool:
        """Whether a new connection, which is among the connections already, may be used freely.

        When there are too many, the oldest of those that have sent no head yet makes room.
        Otherwise it is one of the reserve. When that is full too, the oldest makes room however
        young it is: a probe sends its head at once. Without one the newcomer is closed.
        """
        if not self._is_swept:
            self._is_swept = True
            self._loop.call_later(SWEEP_INTERVAL_S, self._sweep)
        now_s = monotonic()
        is_within = len(self.connections) <= self.limit or self._makes_room(now_s - NEWCOMER_S)
        is_full = len(self.connections) > self.limit + RESERVED
        if is_full and not is_within and not self._makes_room(now_s):
            self.refusals["connections"] += 1
            newcomer.abort()
        self._newcomers[newcomer] = now_s
        return is_within

    def _makes_room(self, come_before_s: float) -> bool:
        oldest = next(iter(self._newcomers), None)
        if oldest is None or self._newcomers[oldest] > come_before_s:
            return False
        del self._newcomers[oldest]
        self.refusals["connections"] += 1
        oldest.abort()
        return True

    def has_head(self, connection: Closable) -> None:
        """Note that the head of a connection's first request has arrived."""
        self._newcomers.pop(connection, None)

    def forget(self, connection: Closable) -> None:
        """Forget a connection that was lost."""
        self._newcomers.pop(connection, None)

    def _sweep(self) -> None:
        """End the connections whose deadline is over; when it is crowded, idle ones too."""
        now_s = self._loop.time()
        is_crowded = len(self.connections) > CROWDED * self.limit
        for connection in list(self.connections):
            connection.let_go_of_body()
            if connection.deadline_s <= now_s or connection.write_deadline_s <= now_s:
                connection.expire()
            elif connection.idle_until_s <= now_s + (
                connection.timeout_keep_alive - CROWDED_IDLE_S if is_crowded else 0
            ):
                connection.part()
        self._report()
        self._is_swept = bool(self.connections)
        if self._is_swept:
            self._loop.call_later(SWEEP_INTERVAL_S, self._sweep)

    def _report(self) -> None:
        """Tell once a minute what was refused: a line for each would be a flood of its own."""
        if self.refusals and monotonic() >= self._report_due_s:
            log.warning("refused before any application", extra={"refused": dict(self.refusals)})
            self.refusals.clear()
            self._report_due_s = monotonic() + REPORT_INTERVAL_S


class ProbesOnly:
    """The application on a connection of the reserve: its probes, and 503 for everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, the only one of its connection."""

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await (self._app if scope["path"] in PROBES else _BUSY)(scope, receive, send_last)

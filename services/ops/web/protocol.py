"""HTTP/1.1 as uvicorn speaks it, with limits of time and size before any application is asked.

uvicorn has a time limit for idle connections alone: a head that never ends, a body that nobody
reads, an answer that nobody fetches would each hold a connection for ever. What is used of uvicorn
here is internal to it; the lock pins its version, and tests/attack holds what must hold.
"""

import asyncio
import math
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from services.ops.web.connections import Connections, ProbesOnly
from services.ops.web.transport import PartingTransport, last_answer
from shared.problems import Problem, problem

HEAD_TIMEOUT_S = 10.0  # from the connection, or from the first byte of a further request
HEAD_MAX_BYTES = 64 * 1024
HEADERS_MAX = 100
PIPELINE_MAX = 8  # requests that wait behind one under way
WRITE_TIMEOUT_S = 30.0  # for 48 KiB of an answer to be fetched
FLUSH_TIMEOUT_S = 10.0  # for the rest of an answer, when the connection is to be closed
PART_TIMEOUT_S = 2.0  # for a client to read its refusal, while its body is still thrown away

_MALFORMED = problem("malformed-request", "this is not a request of HTTP/1.1")
_TOO_LARGE = problem(
    "headers-too-large",
    f"the headers may have {HEAD_MAX_BYTES // 1024} KiB in all, and be {HEADERS_MAX}",
)
_TOO_SLOW = problem("request-timeout", f"the headers did not arrive within {HEAD_TIMEOUT_S:.0f} s")


class _RefusedHead(Exception):
    """Ends the parser's work on this connection."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Its deadlines are looked at twice a second, by Connections."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limit_concurrency = None  # uvicorn's own way to refuse says it in plain text
        self.shared = Connections.of(server_state, config.limit_concurrency, self.loop)
        self.deadline_s = math.inf  # for the head, or for the end of a connection that parts
        self.write_deadline_s = math.inf
        self.idle_until_s = math.inf
        self.raw: asyncio.Transport | None = None
        self.is_parting = False
        self._is_whole = True  # no request has begun to arrive that has not arrived
        self._request: object = None  # the scope of the last request whose head is complete
        self._has_progressed = False
        self._keeps_alive = False
        self._refusal = _MALFORMED
        self._chunk_bytes = 0
        self._pending_bytes = 0  # came in, and completed neither a head nor a piece of a body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        # uvloop's transport has the methods of asyncio.Transport, not its type.
        self.raw = cast("asyncio.Transport", transport)
        super().connection_made(PartingTransport(self.raw, self.part))
        self.deadline_s = self.loop.time() + HEAD_TIMEOUT_S
        if not self.shared.admits(self):
            self.app = ProbesOnly(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.shared.forget(self)
        self._settle_pending()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self.is_parting:
            return
        self.idle_until_s = math.inf
        self._chunk_bytes = len(data)
        self._has_progressed = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # no other protocol is spoken here
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self.refuse(self._refusal)
            return
        if not self._is_whole or not self._has_progressed or self.scope is not self._request:
            self._look_at_rest()

    def _look_at_rest(self) -> None:
        """Judge what came and is no whole request: an answer to it now would be the last one."""
        if self._has_progressed:
            self._settle_pending()
        is_in_body = not self._is_whole and self.scope is self._request
        if is_in_body:
            self.cycle.keep_alive = False
        elif self.deadline_s == math.inf:
            self.deadline_s = self.loop.time() + HEAD_TIMEOUT_S
        if is_in_body and self._has_progressed:
            return
        self._pending_bytes += self._chunk_bytes
        self.shared.pending_bytes += self._chunk_bytes
        if (
            self._pending_bytes > HEAD_MAX_BYTES
            or len(self.headers or ()) > HEADERS_MAX
            or self.shared.has_too_much_pending
        ):
            self.refuse(_TOO_LARGE)

    def _settle_pending(self) -> None:
        self.shared.pending_bytes -= self._pending_bytes
        self._pending_bytes = 0

    # What the parser tells. A request and its body pass here: nothing is done twice.
    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        received_bytes = self._pending_bytes + self._chunk_bytes
        if (
            len(self.headers) > HEADERS_MAX
            or (received_bytes > HEAD_MAX_BYTES and self._head_bytes() > HEAD_MAX_BYTES)
            or len(self.pipeline) >= PIPELINE_MAX
        ):
            self._refusal = _TOO_LARGE
            raise _RefusedHead
        super().on_headers_complete()
        self.headers = []  # trailers are no headers
        self._request = self.scope
        self._keeps_alive = self.cycle.keep_alive
        self._is_whole = False
        self._has_progressed = True
        if self.deadline_s != math.inf:
            self.deadline_s = math.inf
            self.shared.has_head(self)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._has_progressed = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request has arrived: the connection may be used again after its answer."""
        self._is_whole = True
        self._has_progressed = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
            if not cycle.response_started:
                cycle.keep_alive = self._keeps_alive

    # What the transport and the server tell.
    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it; a timer for each would cost 2 µs."""
        self.server_state.total_requests += 1
        if self.is_parting or self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.idle_until_s = self.loop.time() + self.timeout_keep_alive

    def pause_writing(self) -> None:
        """The client does not fetch its answer."""
        self.write_deadline_s = self.loop.time() + WRITE_TIMEOUT_S
        super().pause_writing()

    def resume_writing(self) -> None:
        """It does."""
        self.write_deadline_s = math.inf
        super().resume_writing()

    def let_go_of_body(self) -> None:
        """Drop a body that nobody asked for: its connection may stay for a while."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.body and cycle.response_complete:
            cycle.body = bytearray()

    def shutdown(self) -> None:
        """Close as soon as what is under way is answered."""
        self._keeps_alive = False
        super().shutdown()

    def expire(self) -> None:
        """A deadline is over."""
        if self.is_parting or self.write_deadline_s != math.inf or not self._pending_bytes:
            self.abort()
        else:
            self.refuse(_TOO_SLOW)

    def refuse(self, refusal: Problem) -> None:
        """Answer without asking the application, and close."""
        self.shared.refusals[refusal.code] += 1
        if self.raw is None or self.is_parting:
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or self.pipeline or self._is_whole:
                self.abort()  # an answer to an earlier request is under way
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.raw.write(last_answer(refusal, self.server_state.default_headers))
        self._is_whole = False
        self.part()

    def part(self) -> None:
        """Close; a client that still sends gets the time to read its answer.

        Closed with something unread, the connection would be reset, and the answer lost.
        """
        if self.raw is None or self.is_parting:
            return
        self.is_parting = True
        if self._is_whole or self.raw.is_closing() or not self.raw.can_write_eof():
            self.raw.close()
            self.deadline_s = self.loop.time() + FLUSH_TIMEOUT_S
        else:
            self.raw.write_eof()
            self.flow.resume_reading()
            self.deadline_s = self.loop.time() + PART_TIMEOUT_S

    def abort(self) -> None:
        """Close at once."""
        self.is_parting = True
        if self.raw is not None:
            self.raw.abort()

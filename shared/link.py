"""One connection to Redis for one caller that sends commands and awaits their answers.

The append of a group of submissions is the one Redis command on ingest's hot path, and this takes
a fifth of the CPU of a whole client. hiredis does the wire format; this adds the connection, and
nothing else: no pool, no retries, no pipelines.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self, cast

import hiredis
from redis.asyncio import Redis, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as LinkLost
from redis.exceptions import ReadOnlyError, ResponseError

_ERRORS = {"READONLY": ReadOnlyError}


class Link(asyncio.Protocol):
    """An open connection.

    Who gives up waiting for an answer must `close` it: that answer would meet the next call.
    """

    def __init__(self) -> None:
        self._reader = hiredis.Reader(replyError=_error)
        self._answers: deque[asyncio.Future[Any]] = deque()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, redis: Redis) -> Self:
        """Connect where the client `redis` connects to, with its credentials and database."""
        pool, loop = redis.connection_pool, asyncio.get_running_loop()
        options: dict[str, Any] = pool.connection_kwargs
        if issubclass(pool.connection_class, UnixDomainSocketConnection):
            _, link = await loop.create_unix_connection(cls, options["path"])
        else:
            host, port = options.get("host", "localhost"), options.get("port", 6379)
            tls = (
                SSLConnection(**options).ssl_context.get()
                if issubclass(pool.connection_class, SSLConnection)
                else None
            )
            _, link = await loop.create_connection(cls, host, port, ssl=tls)
        try:
            await link.greet(options)
        except BaseException:
            link.close()
            raise
        return link

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._transport is not None

    async def call(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - what Redis answers
        """Send a command and return its answer.

        Raises redis.ResponseError for an error answer, redis.ConnectionError when the connection is
        lost.
        """
        return await self.send(*command)

    def send(self, *command: str | bytes | int) -> "asyncio.Future[Any]":
        """Send a command at once; the future is of its answer, or of what `call` would raise."""
        if self._transport is None:
            raise LinkLost("the connection to Redis is closed")
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._answers.append(answer)
        self._transport.write(pack(command))
        return answer

    def close(self) -> None:
        """Close the connection; whoever still waits hears that it is lost."""
        if self._transport is not None:
            self._transport.abort()
            self.connection_lost(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note that the connection is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        """Give the answers that are complete to who waits for them."""
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            answer = self._answers.popleft()
            if answer.done():  # nobody waits for it any more
                continue
            if isinstance(reply, ResponseError):
                answer.set_exception(reply)
            else:
                answer.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits that the connection is gone."""
        self._transport = None
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                message = f"the connection to Redis was lost: {exc or 'closed'}"
                answer.set_exception(LinkLost(message))

    async def greet(self, options: dict[str, Any]) -> None:
        """Log in and choose the database, as the client would."""
        if options.get("password"):
            await self.call("AUTH", *filter(None, (options.get("username"), options["password"])))
        if options.get("db"):
            await self.call("SELECT", options["db"])


# Its stub knows commands of one part only.
pack: Callable[[tuple[str | bytes | int, ...]], bytes] = cast("Any", hiredis.pack_command)


def _error(text: str) -> ResponseError:
    return _ERRORS.get(text.partition(" ")[0], ResponseError)(text)

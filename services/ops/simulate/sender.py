"""A sender as a channel is one: keep-alive connections, one POST under way on each, patient with 503 and lost answers.

Small on purpose: HTTP/1.1 with Content-Length, which is all that the service answers with.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

RETRY_STATUS = frozenset({429, 503})
MAX_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said; `attempts` counts the requests that it took."""

    status: int
    body: bytes
    attempts: int


class Connection:
    """One connection to the service, opened again whenever it is lost."""

    def __init__(self, url: str, key: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._key = key
        self._timeout = timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(
        self, body: bytes, *, media_type: str = "application/json", patience: float = 60.0
    ) -> Answer:
        """POST until the answer is neither 503 nor lost; the last answer when `patience` seconds are over.

        Status 0 stands for no answer. Repeating is safe: a submission is known by its id.
        """
        deadline = asyncio.get_running_loop().time() + patience
        attempts, pause = 0, 0.05
        while True:
            attempts += 1
            status, answer = await self._try(body, media_type)
            if status and status not in RETRY_STATUS:
                return Answer(status, answer, attempts)
            if asyncio.get_running_loop().time() + pause > deadline:
                return Answer(status, answer, attempts)
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_S)

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _try(self, body: bytes, media_type: str) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(body, media_type)
        except (
            OSError,
            EOFError,
            TimeoutError,
            ValueError,
            LookupError,
            asyncio.LimitOverrunError,
        ):
            await self.close()
            return 0, b""

    async def _exchange(self, body: bytes, media_type: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(
            f"POST /v1/submissions HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {self._key}\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        answer = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return int(status_line.split(" ")[1]), answer

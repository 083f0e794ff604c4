"""Calls to chat services, outside the path of requests: retried, limited, told of without numbers.

They wait in memory alone, for they hold whom they go to. What a restart loses is asked again by
whatever the person writes next.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import httpx
from msgspec import Struct

log = logging.getLogger(__name__)
# httpx tells every address that it calls: a bot's holds its token
logging.getLogger("httpx").setLevel(logging.WARNING)

WAITING_MAX: Final = 10_000
LANES: Final = 8  # a recipient's messages go through one of them, in order
TRIES_MAX: Final = 5
FIRST_PAUSE_S: Final = 0.5
PAUSE_MAX_S: Final = 30.0
TIMEOUT_S: Final = 10.0
PARTING_S: Final = 3.0
_WORTH_REPEATING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Call(Struct, frozen=True):
    """A POST of JSON to a chat service, for a recipient who is hashed."""

    channel: str
    recipient: str
    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}


class Outgoing:
    """Sends calls, each recipient's in order."""

    def __init__(
        self, client: httpx.AsyncClient | None = None, *, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self._first_pause_s = first_pause_s
        self._lanes = [asyncio.Queue[Call](WAITING_MAX // LANES) for _ in range(LANES)]

    def send(self, call: Call) -> None:
        """Send a call soon; when too many wait it is dropped, and the log says so."""
        try:
            self._lanes[hash(call.recipient) % LANES].put_nowait(call)
        except asyncio.QueueFull:
            _dropped(call, "too many messages wait")

    async def run(self) -> None:
        """Send until cancelled."""
        await asyncio.gather(*(self._run(lane) for lane in self._lanes))

    async def close(self) -> None:
        """Wait a moment for what is still to be sent, and tell how much was not."""
        try:
            async with asyncio.timeout(PARTING_S):
                await asyncio.gather(*(lane.join() for lane in self._lanes))
        except TimeoutError:
            left = sum(lane.qsize() for lane in self._lanes)
            log.warning("messages of chats were not sent at the end", extra={"messages": left})

    async def finish(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _run(self, lane: asyncio.Queue[Call]) -> None:
        while True:
            call = await lane.get()
            try:
                await self._sent(call)
            except Exception as error:  # noqa: BLE001 - whatever it is, the lane goes on
                _dropped(call, type(error).__name__)
            finally:
                lane.task_done()

    async def _sent(self, call: Call) -> None:
        pause_s = self._first_pause_s
        reason = ""
        for attempt in range(TRIES_MAX):
            if attempt:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 3, PAUSE_MAX_S)
            try:
                answer = await self._client.post(call.url, json=call.body, headers=call.headers)
            except httpx.InvalidURL:
                _dropped(call, "the address of the service is none")
                return
            except httpx.HTTPError as error:
                reason = type(error).__name__
                continue
            if answer.is_success:
                return
            reason = f"status {answer.status_code}"
            if answer.status_code not in _WORTH_REPEATING:
                break
        _dropped(call, reason)


def _dropped(call: Call, reason: str) -> None:
    log.error("a message of a chat was not sent", extra={"channel": call.channel, "why": reason})

"""Tells the workers that the inbox holds something.

That is done off the request path, coalesced, and never needed for safety.
"""

import asyncio
import logging

from celery import Celery
from kombu.exceptions import OperationalError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.broker import DRAIN
from shared.hinting import HINT_TTL_MS, drain_flag
from shared.link import Link

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 1.0
PAUSE_S = 0.1  # between two looks at the flag while submissions stream in: a drain lingers longer


class Hinter:
    """Sends a `drain` message whenever none is on its way; a lost one costs the sweep interval."""

    def __init__(self, redis: Redis, celery: Celery, prefix: str) -> None:
        # Nobody waits for a hint, but the end of the process waits for its thread: a hung Redis
        # must not hold that up.
        celery.conf.broker_transport_options |= {
            "socket_timeout": SEND_TIMEOUT_S,
            "retry_on_timeout": False,
        }
        self._redis = redis
        self._celery = celery
        self._flag = drain_flag(prefix)
        self._news = asyncio.Event()
        self._link: Link | None = None

    def poke(self) -> None:
        """Tell that something was appended."""
        self._news.set()

    async def run(self) -> None:
        """Send hints until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                if await self._raised():
                    await asyncio.to_thread(self._celery.send_task, DRAIN, retry=False)
            except (RedisError, OperationalError, OSError) as error:  # a time-out is an OSError
                log.warning("hint not sent", extra={"error": f"{type(error).__name__}: {error}"})
            await asyncio.sleep(PAUSE_S)

    async def _raised(self) -> bool:
        """Raise the flag; return False when it is up already.

        This happens fifty times a second: over a link it takes a tenth of a client's CPU.
        """
        link = self._link
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                if link is None or not link.is_open:
                    link = self._link = await Link.open(self._redis)
                return await link.call("SET", self._flag, "1", "NX", "PX", HINT_TTL_MS) is not None
        except BaseException:  # a late answer must not meet the next call
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None

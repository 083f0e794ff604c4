"""Tells the workers that the inbox holds something: off the request path, coalesced, never needed for safety."""

import asyncio
import logging

from celery import Celery
from kombu.exceptions import OperationalError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.broker import DRAIN
from shared.hinting import HINT_TTL_MS, drain_flag

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 1.0
PAUSE_S = 0.02  # between two looks at the flag while submissions stream in


class Hinter:
    """Sends one `drain` message whenever none is on its way; a lost one costs at most the sweep interval."""

    def __init__(self, redis: Redis, celery: Celery, prefix: str) -> None:
        # Nobody waits for a hint, but the end of the process waits for its thread: a hung Redis must not hold that up.
        celery.conf.broker_transport_options |= {"socket_timeout": SEND_TIMEOUT_S, "retry_on_timeout": False}
        self._redis = redis
        self._celery = celery
        self._flag = drain_flag(prefix)
        self._news = asyncio.Event()

    def poke(self) -> None:
        """Something was appended."""
        self._news.set()

    async def run(self) -> None:
        """Send hints until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                if await self._redis.set(self._flag, b"1", nx=True, px=HINT_TTL_MS):
                    await asyncio.to_thread(self._celery.send_task, DRAIN, retry=False)
            except (RedisError, OperationalError, OSError) as error:
                log.warning("hint not sent", extra={"error": f"{type(error).__name__}: {error}"})
            await asyncio.sleep(PAUSE_S)

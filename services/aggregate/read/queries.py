"""Runs what asks PostgreSQL, apart from everything that is answered from memory.

In threads of their own, and few: queries that wait for a PostgreSQL that hangs take neither the
event loop nor the threads of other requests, and whoever asked has an answer in time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.problems import Refused, problem

QUERIES_MAX = 8  # under way at once; as many connections as the pool keeps
ANSWER_TIMEOUT_S = 5.5  # from the request on, so waiting for a thread is within it

_TOO_LATE = problem("database-unavailable", "PostgreSQL did not answer in time")
T = TypeVar("T")


class Queries:
    """At most `QUERIES_MAX` queries at once; each is answered within `ANSWER_TIMEOUT_S`.

    A thread that was given up ends by itself: its connection limits the silence that it bears
    (shared.storage.driver.deadline).
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(QUERIES_MAX, thread_name_prefix="query")

    async def run(self, query: Callable[[], T]) -> T:
        """Return what the query returns; Refused (503) when that takes too long."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await asyncio.get_running_loop().run_in_executor(self._threads, query)
        except TimeoutError:
            raise Refused(_TOO_LATE) from None

    def close(self) -> None:
        """Let no further query begin, and wait for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)

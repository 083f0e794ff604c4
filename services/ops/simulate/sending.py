"""Sending made-up respondents at a steady rate, and what became of them."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from services.ops.client import NO_ANSWER, Sender
from shared.progress import Progress

CONNECTIONS = 32
_TICK_S = 0.02


@dataclass(slots=True)
class Outcome:
    """The answers by status, their latencies, and the requests that were sent again."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0

    @property
    def sent(self) -> int:
        """How many submissions were sent."""
        return len(self.latencies_s)

    @property
    def failed(self) -> int:
        """How many got no answer, or one that admits a fault of the service."""
        return sum(
            count
            for status, count in self.statuses.items()
            if status == NO_ANSWER or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )

    def latency_ms(self, share: float) -> float:
        """Return the latency that this share of the answers did not exceed."""
        ascending = sorted(self.latencies_s)
        return ascending[min(self.sent - 1, int(self.sent * share))] * 1000


@dataclass(frozen=True, slots=True)
class Load:
    """How many submissions a second, and for how long."""

    rate: float
    seconds: float

    @property
    def total(self) -> int:
        """How many submissions that is."""
        return int(self.rate * self.seconds)

    def due(self, passed_s: float) -> int:
        """Return how many must have been sent after so many seconds."""
        return min(self.total, int(passed_s * self.rate) + 1)


async def send(
    submissions: Iterator[Mapping[str, Any]], sender: Sender, load: Load, tell: Progress
) -> Outcome:
    """Send the submissions as they become due, each until it is taken or its patience ends."""
    outcome = Outcome()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=CONNECTIONS * 4)
    posting = [asyncio.create_task(_post_all(queue, sender, outcome)) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    sent = 0
    while sent < load.total:
        due = load.due(time.perf_counter() - began)
        for _ in range(due - sent):
            await queue.put(json.dumps(next(submissions), ensure_ascii=False).encode())
        sent = due
        tell(sent, load.total)
        await asyncio.sleep(_TICK_S)
    for _ in posting:
        await queue.put(None)
    await asyncio.gather(*posting)
    outcome.seconds = time.perf_counter() - began
    return outcome


async def _post_all(queue: "asyncio.Queue[bytes | None]", sender: Sender, outcome: Outcome) -> None:
    while (body := await queue.get()) is not None:
        began = time.perf_counter()
        reply = await sender.post(body)
        outcome.latencies_s.append(time.perf_counter() - began)
        outcome.statuses[reply.status] += 1
        outcome.repeated += reply.attempts - 1

"""Sending made-up respondents at a steady rate, and what became of them."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from queue import Queue
from threading import Thread
from typing import Any

from services.ops.client import NO_ANSWER, Client, ServiceAnswer
from shared.progress import Progress

CONNECTIONS = 32
_TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """To whom, by which key, how many submissions a second, and for how long."""

    address: str
    key: str
    rate: float
    seconds: float

    @property
    def total(self) -> int:
        """How many submissions that is."""
        return int(self.rate * self.seconds)

    def due(self, passed_s: float) -> int:
        """Return how many must have been sent after so many seconds."""
        return min(self.total, int(passed_s * self.rate) + 1)


@dataclass(slots=True)
class Outcome:
    """Every answer with its latency, and how long all of it took."""

    answers: list[tuple[ServiceAnswer, float]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def statuses(self) -> Counter[int]:
        """How many answers had each status."""
        return Counter(answer.status for answer, _ in self.answers)

    @property
    def repeated(self) -> int:
        """How many requests were made again."""
        return sum(answer.attempts - 1 for answer, _ in self.answers)

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
        ascending = sorted(latency_s for _, latency_s in self.answers)
        return ascending[min(len(ascending) - 1, int(len(ascending) * share))] * 1000


def send(submissions: Iterator[Mapping[str, Any]], load: Load, tell: Progress) -> Outcome:
    """Send the submissions as they become due, each until it is taken or patience ends."""
    outcome = Outcome()
    bodies: Queue[bytes | None] = Queue(maxsize=CONNECTIONS * 4)
    # Threads that end with the program: an interrupt waits for nobody's patience.
    senders = [
        Thread(target=_post_all, args=(bodies, load, outcome), daemon=True)
        for _ in range(CONNECTIONS)
    ]
    for sender in senders:
        sender.start()
    began = time.perf_counter()
    sent = 0
    while sent < load.total:
        due = load.due(time.perf_counter() - began)
        for _ in range(due - sent):
            bodies.put(json.dumps(next(submissions), ensure_ascii=False).encode())
        sent = due
        tell(sent, load.total)
        time.sleep(_TICK_S)
    for _ in senders:
        bodies.put(None)
    for sender in senders:
        sender.join()
    outcome.seconds = time.perf_counter() - began
    return outcome


def _post_all(bodies: "Queue[bytes | None]", load: Load, outcome: Outcome) -> None:
    with Client(load.address) as client:
        while (body := bodies.get()) is not None:
            began = time.perf_counter()
            answer = client.submit(body, load.key)
            outcome.answers.append((answer, time.perf_counter() - began))

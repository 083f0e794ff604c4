"""Delivers what waits in an outbox: in order of age, not faster than a limit, ever more patiently.

Three things can come of a submission: the service has it, or will never take it (its reason is
kept), or cannot take it now. Then everything waits: the order stays, and a service that is back is
not overrun by all its relays at once, because each pauses for a time drawn by lot.
"""

import json
import logging
import random
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

from services.ops.client import Client, ServiceAnswer
from services.ops.relay.outbox import Outbox, content_of
from shared.progress import Progress

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 120.0
LOOK_S: Final = 1.0  # between two looks at an empty folder
_WRONG_SUBMISSION: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


@dataclass
class Courier:
    """Takes submissions from an outbox to a service."""

    outbox: Outbox
    client: Client
    key: str
    rate: float  # submissions a second, at most
    stop: threading.Event = field(default_factory=threading.Event)
    delivered: int = 0
    refused: int = 0
    failures: int = 0  # in a row

    def run(self, tell: Progress) -> None:
        """Deliver until told to stop."""
        while not self.stop.is_set():
            is_done = self.round(tell)
            self.stop.wait(LOOK_S if is_done else self.pause_s())

    def round(self, tell: Progress) -> bool:
        """Deliver what waits now; False when the service could not take something now."""
        paths = self.outbox.waiting()
        for number, path in enumerate(paths):
            tell(number, len(paths))
            if self.stop.is_set():
                return True
            started = time.monotonic()
            if not self._deliver(path):
                return False
            self.stop.wait(max(0.0, 1 / self.rate - (time.monotonic() - started)))
        tell(len(paths), len(paths))
        return True

    def pause_s(self) -> float:
        """Return how long to wait after failures in a row: twice as long each, drawn by lot."""
        longest_s = min(FIRST_PAUSE_S * 2 ** min(self.failures, 20), LONGEST_PAUSE_S)
        return random.uniform(longest_s / 2, longest_s)  # noqa: S311 (a pause is no secret)

    def _deliver(self, path: Path) -> bool:
        content = content_of(path)
        if content is None:
            return True
        if isinstance(content, str):
            self._refuse(path, content)
            return True
        answer = self.client.submit(content, self.key, patience_s=0)
        if answer.status == HTTPStatus.ACCEPTED:
            self.outbox.delivered(path)
            self.delivered += 1
            if self.failures:
                log.info("layanan terjangkau lagi / the service can be reached again")
            self.failures = 0
            return True
        if _is_of_submission(answer):
            self._refuse(path, str(answer))
            return True
        self.failures += 1
        log.warning(
            "belum terkirim, dicoba lagi / not delivered yet, will be tried again: %s", answer
        )
        return False

    def _refuse(self, path: Path, reason: str) -> None:
        self.outbox.refuse(path, reason)
        self.refused += 1
        log.error("ditolak, disisihkan / refused and moved aside: %s: %s", path.name, reason)


def _is_of_submission(answer: ServiceAnswer) -> bool:
    """Whether the submission is what is wrong, and not the key, the address or the service."""
    if answer.status in _WRONG_SUBMISSION:
        return True
    if answer.status != HTTPStatus.FORBIDDEN:
        return False
    try:
        problem = json.loads(answer.body)
    except ValueError:
        return False
    return isinstance(problem, dict) and bool(problem.get("errors"))

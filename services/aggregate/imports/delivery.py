"""Puts what was imported into the inbox, and waits when that is full: live answers go first."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from redis.exceptions import RedisError

from shared.domain.errors import IkmError
from shared.domain.submission.identity import ReceiptMaker
from shared.inbox.entry import Parcel
from shared.inbox.sender import Sender

log = logging.getLogger(__name__)

WAITING_MAX: Final = 100_000  # submissions in the inbox, whoever sent them: seconds of counting
ENTRY_SUBMISSIONS: Final = 2_500
_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0


class NoMore(IkmError):
    """The import is not held any more: it was cancelled, or another worker reads it."""


class Delivery:
    """Delivers the submissions of one import.

    `still_held` is asked while it waits; `poke` tells the workers that something came.
    """

    def __init__(
        self,
        sender: Sender,
        secret: bytes,
        limit: int,
        still_held: Callable[[], bool],
        poke: Callable[[], None],
    ) -> None:
        self._sender = sender
        self._receipts = ReceiptMaker(secret).receipts
        self._limit = min(limit, WAITING_MAX)
        self._still_held = still_held
        self._poke = poke

    def deliver(
        self, channel: str, received_us: int, ids: Sequence[str], bodies: Sequence[bytes]
    ) -> None:
        """Put submissions into the inbox. Raises NoMore when waiting is of no use any more.

        One that is delivered again, because nobody knows whether it was, is counted once.
        """
        for part in _parts(len(ids)):
            names = list(ids[part])
            receipts = self._receipts(channel, names)
            parcel = Parcel(channel, received_us, receipts, names, list(bodies[part]))
            waiting = self._appended(parcel)
            self._poke()
            self._wait_for_room(waiting)

    def _appended(self, parcel: Parcel) -> int:
        for pause_s in _pauses():
            try:
                return self._sender.append(parcel)
            except (RedisError, OSError) as error:  # away, full, or silent
                log.warning("the inbox takes nothing", extra={"error": type(error).__name__})
            self._pause(pause_s)
        raise AssertionError

    def _wait_for_room(self, waiting: int) -> None:
        for pause_s in _pauses():
            if waiting <= self._limit:
                return
            self._pause(pause_s)
            try:
                waiting = self._sender.waiting()
            except (RedisError, OSError):
                continue

    def _pause(self, pause_s: float) -> None:
        time.sleep(pause_s)
        if not self._still_held():
            raise NoMore


def _parts(size: int) -> Iterator[slice]:
    for start in range(0, size, ENTRY_SUBMISSIONS):
        yield slice(start, start + ENTRY_SUBMISSIONS)


def _pauses() -> Iterator[float]:
    pause_s = _PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

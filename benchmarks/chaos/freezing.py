"""Processes that are stopped for a while (SIGSTOP) and go on: a paused machine, a long swap."""

import heapq
import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from benchmarks.running.processes import tree

SHORT_S = (0.2, 2.5)
LONG_S = (16.0, 24.0)  # longer than a takeover of entries and than every time-out of a request
LONG_SHARE = 0.15


class Freezer:
    """Stops processes and lets them go on when their time is over."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._frozen: list[tuple[float, str, Sequence[int]]] = []  # until when, name, processes

    @property
    def names(self) -> set[str]:
        """Return what is frozen now."""
        return {name for _, name, _ in self._frozen}

    def freeze(self, name: str, pid: int) -> None:
        """Stop a process and its descendants for a while, now and then for a long one."""
        is_long = self._chance.random() < LONG_SHARE
        seconds = self._chance.uniform(*(LONG_S if is_long else SHORT_S))
        pids = tree(pid)
        _signal(pids, signal.SIGSTOP)
        heapq.heappush(self._frozen, (time.monotonic() + seconds, name, pids))

    def thaw(self, *, everything: bool = False) -> None:
        """Let those go on whose time is over."""
        while self._frozen and (everything or self._frozen[0][0] <= time.monotonic()):
            _, _, pids = heapq.heappop(self._frozen)
            _signal(pids, signal.SIGCONT)


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it was killed meanwhile
            os.kill(pid, number)

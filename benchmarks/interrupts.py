"""The end of a run before its time: what was started is stopped, and nothing else is said."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Somebody asked this program to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number  # as shells have it


def until_interrupted(work: Callable[[], int]) -> int:
    """Do the work; return its exit code, or that of the signal that ended it."""
    for number in _SIGNALS:
        # nohup ignores the end of the terminal; a shell's background job begins with SIGINT ignored
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        return work()
    except Interrupted as interrupted:
        print("\ninterrupted: what was started is stopped", file=sys.stderr)
        return interrupted.exit_code


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    for further in _SIGNALS:
        signal.signal(further, signal.SIG_IGN)  # impatience must not interrupt the tidying up
    raise Interrupted(number)

"""The end of a run before its time: what was started is stopped, and nothing else is said."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")


class Interrupted(KeyboardInterrupt):
    """Somebody asked this program to end."""


def until_interrupted(work: Callable[[], int]) -> int:
    """Do the work; return its exit code, or that of the signal that ended it."""
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        _ignore_further()
        received.append(number)
        raise Interrupted

    for number in SIGNALS:
        # nohup ignores the end of the terminal; a shell's background job begins with SIGINT ignored
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        return work()
    except BaseException:
        # Whatever it was, such as a command that the same Ctrl-C ended, comes from the interrupt.
        if not received:
            raise
    print("\ninterrupted: what was started is stopped", file=sys.stderr)
    return 128 + received[0]  # as shells have it


def run_interruptible(runner: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
    """Run the work on a loop, which would swallow an exception that a signal raises in a callback.

    So the signal cancels the work instead, and is then handled as outside of the loop.
    """
    received: list[int] = []
    loop = runner.get_loop()
    handlers = {
        number: handler
        for number in SIGNALS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    async def cancelled_by_signals() -> T:
        task = asyncio.ensure_future(work)
        for number in handlers:
            loop.add_signal_handler(number, _cancel, task, received, number)
        try:
            return await task
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    try:
        return runner.run(cancelled_by_signals())
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def _cancel(task: "asyncio.Future[Any]", received: list[int], number: int) -> None:
    received.append(number)
    task.cancel()


def _ignore_further() -> None:
    """Impatience must not interrupt the tidying up."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)

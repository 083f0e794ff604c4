"""A sign of life of a Celery process: a file that its own loop touches, unless it hangs.

A container's health check looks at the file's age; a worker that lost its way after a reconnection
is seen so.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.beat import Scheduler

from shared.settings import Settings

EVERY_S = 5.0


def sign(home: Path, process: str) -> Path:
    """Return the file of a process: `inbox`, `refresh` or `beat`."""
    return home / f"alive-{process}"


def touch(path: Path) -> None:
    """Give the sign; a link in its place is not followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with suppress(OSError):  # without a home nobody looks at it
        descriptor = os.open(path, flags, 0o600)
        try:
            os.utime(descriptor)
        finally:
            os.close(descriptor)


class LivenessStep(bootsteps.StartStopStep):
    """Gives the sign from the worker's event loop."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:  # noqa: ANN401 (Celery's worker, which has no type here)
        """Begin to give the sign."""
        # `ikm worker` names its node after what it works on.
        path = sign(Settings.load().home, str(parent.hostname).partition("-")[0])
        touch(path)
        parent.timer.call_repeatedly(EVERY_S, touch, (path,))


class Beat(Scheduler):
    """Gives the sign with every turn of the schedule.

    What was sent last is remembered in memory alone: after a restart everything is due at most an
    interval later, and no file of anybody's is read as a pickle.
    """

    _sign: Path | None = None

    def tick(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (as Celery declares it)
        """Give the sign, and do what is due."""
        self._sign = self._sign or sign(Settings.load().home, "beat")
        touch(self._sign)
        return super().tick(*args, **kwargs)


def install(app: Celery) -> None:
    """Give the workers of an application the step."""
    app.steps["worker"].add(LivenessStep)

"""A sign of life of a Celery process: a file that its own loop touches, unless it hangs.

A container's health check looks at the file's age; a worker that lost its way after a reconnection
is seen so.
"""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.beat import PersistentScheduler

EVERY_S = 5.0
# A container has one process and a /tmp of its own.
SIGN = Path(tempfile.gettempdir()) / "ikm.alive"


def touch() -> None:
    """Give the sign."""
    # On a shared machine the file may be somebody else's, and nobody looks at it there.
    with suppress(OSError):
        SIGN.touch()


class LivenessStep(bootsteps.StartStopStep):
    """Gives the sign from the worker's event loop."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:  # noqa: ANN401 (Celery's worker, which has no type here)
        """Begin to give the sign."""
        touch()
        parent.timer.call_repeatedly(EVERY_S, touch)


class Beat(PersistentScheduler):
    """Gives the sign with every turn of the schedule."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (as Celery declares it)
        """Give the sign, and do what is due."""
        touch()
        return super().tick(*args, **kwargs)


def install(app: Celery) -> None:
    """Give the workers of an application the step."""
    app.steps["worker"].add(LivenessStep)

"""Sends hints: a task that is due is sent, unless its flag says that one is on its way."""

from services.aggregate.worker.context import WorkerContext
from shared.hinting import HINT_TTL_MS


def send_hint(
    context: WorkerContext, flag: str, task: str, *, expires_s: float | None = None
) -> None:
    """Send the task and raise its flag; do nothing while the flag is up.

    `expires_s`: a message that nobody took for so long is of no use any more.
    """
    if context.redis.set(flag, b"1", nx=True, px=HINT_TTL_MS):
        context.celery.send_task(task, retry=False, expires=expires_s)


def keep_flag_up(context: WorkerContext, flag: str) -> None:
    """Let nobody hint for a while what is being done."""
    context.redis.set(flag, b"1", px=HINT_TTL_MS)

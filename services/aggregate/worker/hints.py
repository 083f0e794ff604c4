"""Sends hints: a task that is due is sent, unless its flag says that one is on its way."""

from services.aggregate.worker.context import WorkerContext
from shared.hinting import HINT_TTL_MS


def send_hint(context: WorkerContext, flag: str, task: str) -> None:
    """Send the task and raise its flag; do nothing while the flag is up."""
    if context.redis.set(flag, b"1", nx=True, px=HINT_TTL_MS):
        context.celery.send_task(task, retry=False)


def keep_flag_up(context: WorkerContext, flag: str) -> None:
    """Let nobody hint for a while what is being done."""
    context.redis.set(flag, b"1", px=HINT_TTL_MS)

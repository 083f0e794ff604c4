"""Once a day: what outlived its retention is emptied, and Redis' file is written anew.

What waited in the inbox is in the append-only file until a rewrite, long after it was counted.
"""

import logging

from redis.exceptions import ResponseError

from services.aggregate.worker.context import WorkerContext
from shared.storage import retention
from shared.storage.engine import transaction

log = logging.getLogger(__name__)

DAY_S = 86_400
BATCH = 5000  # rows a transaction: counting never waits long for their locks
BATCHES = 20  # a run; what is left is the next one's


def retain(context: WorkerContext) -> None:
    """Empty what is too old, unless that was done within a day."""
    done = f"{context.settings.redis_prefix}retained"
    if context.redis.exists(done):
        return
    days = context.settings.retention_days
    is_complete = _emptied(context, days) if days else True
    _rewrite(context)
    if is_complete:
        context.redis.set(done, b"1", ex=DAY_S)


def _emptied(context: WorkerContext, days: int) -> bool:
    """Empty comments and parked bodies; return whether nothing is left to empty."""
    comments = parked = 0
    of_comments = of_parked = BATCH
    for _ in range(BATCHES):
        with transaction(context.engine) as connection:
            of_comments = retention.empty_comments(connection, days, BATCH)
            of_parked = retention.empty_parked(connection, days, BATCH)
        comments += of_comments
        parked += of_parked
        if max(of_comments, of_parked) < BATCH:
            break
    if comments or parked:
        log.info("emptied after their retention", extra={"comments": comments, "parked": parked})
    return max(of_comments, of_parked) < BATCH


def _rewrite(context: WorkerContext) -> None:
    try:
        context.redis.bgrewriteaof()
    except ResponseError as error:  # managed servers forbid it; one may be under way already
        log.info("the append-only file was not rewritten", extra={"error": str(error)})

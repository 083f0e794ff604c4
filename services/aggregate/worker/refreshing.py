"""Brings the rolling tables up to date, at most once an interval."""

import time

from services.aggregate.rolling.refresh import refresh
from services.aggregate.rolling.released.calendar import Pace
from services.aggregate.worker.context import WorkerContext
from shared.domain.release import BETWEEN_STEPS
from shared.hinting import refresh_flag
from shared.storage.engine import DatabaseClock


def refresh_now(context: WorkerContext, clock: DatabaseClock) -> int:
    """Refresh the stale OPDs when the interval is over; return how many they were.

    What comes while it waits is done with it.
    """
    wait_s = context.refreshed_s + context.settings.refresh_interval - time.monotonic()
    if wait_s > 0:
        time.sleep(wait_s)
    context.redis.delete(refresh_flag(context.settings.redis_prefix))
    pace = Pace(context.settings.close_days, BETWEEN_STEPS)
    refreshed = refresh(context.engine, context.registry(), clock, context.cache, pace)
    context.refreshed_s = time.monotonic()
    return refreshed

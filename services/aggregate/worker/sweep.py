"""The safety net, once a second: what a lost hint, a dead worker or an emptied Redis left undone is noticed here."""

import logging
import time
from datetime import timedelta

from services.aggregate.rolling.refresh import refresh
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.drain import hint
from shared.broker import DRAIN, REFRESH, TASK_LIMIT_S
from shared.clock import Clock
from shared.hinting import drain_flag, refresh_flag
from shared.registry import publication
from shared.storage import ledger, rolling
from shared.storage.engine import transaction

log = logging.getLogger(__name__)

TIDY_EVERY_S = 30.0
CONSUMER_IDLE_S = 3600.0
FOLD_AFTER = timedelta(seconds=2 * TASK_LIMIT_S)


def sweep(context: WorkerContext, clock: Clock) -> None:
    """Hint what is due, keep the registry in Redis present, tidy up now and then."""
    prefix = context.settings.redis_prefix
    context.inbox.prepare()
    publication.publish(context.redis, prefix, context.registry())
    if context.inbox.depth().entries:
        hint(context, drain_flag(prefix), DRAIN)
    today = clock().astimezone(context.registry().instansi.zone).date()
    with context.engine.connect() as connection:
        states = rolling.read_states(connection)
    if any(state.version > state.refreshed or state.as_of != today for state in states):
        hint(context, refresh_flag(prefix), REFRESH)
    if time.monotonic() - context.tidied >= TIDY_EVERY_S:
        context.tidied = time.monotonic()
        _tidy(context, clock)


def refresh_now(context: WorkerContext, clock: Clock) -> int:
    """Refresh the stale OPDs, but not sooner than the interval after the last time; the number refreshed."""
    wait = context.refreshed + context.settings.refresh_interval - time.monotonic()
    if wait > 0:  # what comes meanwhile is done with it
        time.sleep(wait)
    context.redis.delete(refresh_flag(context.settings.redis_prefix))
    refreshed = refresh(context.engine, context.registry(), clock(), context.cache)
    context.refreshed = time.monotonic()
    return refreshed


def _tidy(context: WorkerContext, clock: Clock) -> None:
    epoch = (
        context.inbox.epoch()
    )  # before the horizon: that of a later life must not judge the entries of this one
    horizon = context.inbox.horizon()
    with transaction(context.engine) as connection:
        folded = ledger.fold(connection, epoch, horizon, clock() - FOLD_AFTER)
    context.inbox.retire(CONSUMER_IDLE_S)
    log.debug("tidied", extra={"folded": folded})

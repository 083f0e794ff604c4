"""Notices, once a second, what a lost hint, a dead worker or an emptied Redis left undone."""

import logging
import time
from datetime import timedelta

from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.hints import send_hint
from shared.broker import DRAIN, REFRESH, TASK_LIMIT_S
from shared.domain.window import local_day
from shared.hinting import drain_flag, refresh_flag
from shared.registry import publication
from shared.storage import ledger, rolling
from shared.storage.engine import DatabaseClock, transaction

log = logging.getLogger(__name__)

TIDY_EVERY_S = 30.0
CONSUMER_IDLE_S = 3600.0
FOLD_AFTER = timedelta(seconds=2 * TASK_LIMIT_S)


def sweep(context: WorkerContext, clock: DatabaseClock) -> None:
    """Hint what is due, keep the registry in Redis present, tidy up now and then."""
    prefix = context.settings.redis_prefix
    context.inbox.prepare()
    registry = context.registry()
    publication.publish(context.redis, prefix, registry)
    if context.inbox.depth().entries:
        send_hint(context, drain_flag(prefix), DRAIN)
    with context.engine.connect() as connection:
        today = local_day(clock(connection), registry.instansi.zone)
        states = rolling.read_states(connection)
    if any(state.version > state.refreshed or state.as_of != today for state in states):
        send_hint(context, refresh_flag(prefix), REFRESH)
    if time.monotonic() - context.tidied_s >= TIDY_EVERY_S:
        context.tidied_s = time.monotonic()
        _tidy(context, clock)


def _tidy(context: WorkerContext, clock: DatabaseClock) -> None:
    # Before the horizon: that of a later life must not judge the entries of this one.
    epoch = context.inbox.epoch()
    horizon = context.inbox.horizon()
    with transaction(context.engine) as connection:
        folded = ledger.fold(connection, epoch, horizon, clock(connection) - FOLD_AFTER)
    context.inbox.retire(CONSUMER_IDLE_S)
    log.debug("tidied", extra={"folded": folded})

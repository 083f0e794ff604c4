"""The safety net, once a second: what a lost hint, a dead worker or an emptied Redis left undone is noticed here."""

import logging
import time
from datetime import timedelta

from services.aggregate.rolling.refresh import refresh
from services.aggregate.worker.context import Workbench
from services.aggregate.worker.drain import hint
from shared.broker import DRAIN, REFRESH, TASK_LIMIT_S
from shared.clock import Clock
from shared.hinting import drain_flag, refresh_flag
from shared.registry import snapshot as registries
from shared.storage import ledger, rolling
from shared.storage.engine import transaction

log = logging.getLogger(__name__)

TIDY_EVERY_S = 30.0
CONSUMER_IDLE_S = 3600.0
FOLD_AFTER = timedelta(seconds=2 * TASK_LIMIT_S)


def sweep(bench: Workbench, clock: Clock) -> None:
    """Hint what is due, keep the registry in Redis present, tidy up now and then."""
    prefix = bench.settings.redis_prefix
    bench.inbox.prepare()
    registries.publish(bench.redis, prefix, bench.registry())
    if bench.inbox.depth().entries:
        hint(bench, drain_flag(prefix), DRAIN)
    today = clock().astimezone(bench.registry().instansi.zone).date()
    with bench.engine.connect() as connection:
        states = rolling.states(connection)
    if any(state.version > state.refreshed or state.as_of != today for state in states):
        hint(bench, refresh_flag(prefix), REFRESH)
    if time.monotonic() - bench.tidied >= TIDY_EVERY_S:
        bench.tidied = time.monotonic()
        _tidy(bench, clock)


def refresh_now(bench: Workbench, clock: Clock) -> int:
    """Refresh the stale OPDs, but not sooner than the interval after the last time; the number refreshed."""
    wait = bench.refreshed + bench.settings.refresh_interval - time.monotonic()
    if wait > 0:  # what comes meanwhile is done with it
        time.sleep(wait)
    bench.redis.delete(refresh_flag(bench.settings.redis_prefix))
    refreshed = refresh(bench.engine, bench.registry(), clock(), bench.cache)
    bench.refreshed = time.monotonic()
    return refreshed


def _tidy(bench: Workbench, clock: Clock) -> None:
    epoch = (
        bench.inbox.epoch()
    )  # before the horizon: that of a later life must not judge the entries of this one
    horizon = bench.inbox.horizon()
    with transaction(bench.engine) as connection:
        folded = ledger.fold(connection, epoch, horizon, clock() - FOLD_AFTER)
    bench.inbox.retire(CONSUMER_IDLE_S)
    log.debug("tidied", extra={"folded": folded})

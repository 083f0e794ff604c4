"""Notices, once a second, what a lost hint, a dead worker or an emptied Redis left undone."""

import logging
import time

from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.hints import send_hint
from shared.broker import DRAIN, IMPORT, REFRESH
from shared.domain.release import last_closed_day
from shared.domain.window import local_day
from shared.hinting import drain_flag, import_flag, refresh_flag
from shared.registry import publication, released_board
from shared.storage import ledger, rolling
from shared.storage.driver.sessions import end_frozen_sessions
from shared.storage.engine import DatabaseClock, transaction
from shared.storage.imports import files, holding
from shared.storage.ledger import LIFE_IS_OVER
from shared.storage.released import rows as released_rows

log = logging.getLogger(__name__)

TIDY_EVERY_S = 30.0
CONSUMER_IDLE_S = 3600.0
IMPORT_EXPIRES_S = 60.0  # while all who import are at work, hints must not pile up
BOARD_EVERY_S = 5.0


def sweep(context: WorkerContext, clock: DatabaseClock) -> None:
    """Hint what is due, keep the registry in Redis present, tidy up now and then."""
    prefix = context.settings.redis_prefix
    context.inbox.prepare()
    registry = context.registry()
    publication.publish(context.redis, prefix, registry)
    if context.inbox.depth().entries:
        send_hint(context, drain_flag(prefix), DRAIN)
    with context.engine.connect() as connection:
        if ended := end_frozen_sessions(connection):
            log.warning("sessions of frozen processes were ended", extra={"sessions": ended})
        today = local_day(clock(connection), registry.instansi.zone)
        states = rolling.read_states(connection)
        has_file = holding.is_due(connection)
    if has_file:
        send_hint(context, import_flag(prefix), IMPORT, expires_s=IMPORT_EXPIRES_S)
    closed_to = last_closed_day(today, context.settings.close_days)
    if not all(state.is_shown(today, closed_to) for state in states):
        send_hint(context, refresh_flag(prefix), REFRESH)
    if time.monotonic() - context.board_s >= BOARD_EVERY_S:
        context.board_s = time.monotonic()
        publish_board(context)
    if time.monotonic() - context.tidied_s >= TIDY_EVERY_S:
        context.tidied_s = time.monotonic()
        _tidy(context)


def publish_board(context: WorkerContext) -> None:
    """Publish the released index of every layanan for the pages of ingest."""
    with context.engine.connect() as connection:
        headlines = released_rows.read_headlines(connection, released_board.WINDOWS)
    released_board.publish(context.redis, context.settings.redis_prefix, headlines)


def fold(context: WorkerContext) -> int:
    """Sum up what was settled; return how many lines of the ledger it became."""
    # Lives that had begun before the present one is asked for: another one is over for good.
    with context.engine.connect() as connection:
        epochs = ledger.epochs(connection)
    # The epoch before the horizon: that of a later life only leaves more of this one to be known.
    present = context.inbox.epoch()
    horizons = {**dict.fromkeys(epochs, LIFE_IS_OVER), present: context.inbox.horizon()}
    with transaction(context.engine) as connection:
        return ledger.fold(connection, horizons)


def _tidy(context: WorkerContext) -> None:
    log.debug("tidied", extra={"folded": fold(context)})
    context.inbox.retire(CONSUMER_IDLE_S)
    with transaction(context.engine) as connection:
        files.tidy(connection)

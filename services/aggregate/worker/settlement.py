"""Counts a batch and settles its entries; one that cannot be counted is parked."""

import logging
from collections.abc import Sequence

from services.aggregate.counting.batch import Batch, judged, quarantined
from services.aggregate.counting.count import Counted, count
from services.aggregate.counting.recovery import together_or_singly
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.hints import send_hint
from shared.broker import REFRESH
from shared.hinting import refresh_flag
from shared.inbox.entry import Entry
from shared.storage.engine import DatabaseClock

log = logging.getLogger(__name__)


def count_and_settle(context: WorkerContext, batch: Batch, clock: DatabaseClock) -> None:
    """Count, then settle. Raises an outage of the database; the entries then stay claimed."""
    counted = _counted(context, batch, clock)
    context.inbox.settle(batch.entries)
    send_hint(context, refresh_flag(context.settings.redis_prefix), REFRESH)
    log.info("counted", extra={"entries": len(batch.entries), **counted._asdict()})


def _counted(context: WorkerContext, batch: Batch, clock: DatabaseClock) -> Counted:
    """Count the batch; should that fail for a reason of its own, entry by entry."""

    def count_now(part: Batch) -> Counted:
        return count(context.engine, part, clock, context.zone)

    def count_entries(entries: Sequence[Entry]) -> Counted:
        if len(entries) == len(batch.entries):
            return count_now(batch)
        return count_now(judged(context.last_judge, entries, batch.epoch))

    def park(entry: Entry) -> Counted:
        log.error("entry cannot be counted: parked", extra={"stream_id": entry.stream_id.decode()})
        return count_now(quarantined(entry, batch.epoch))

    parts = together_or_singly(batch.entries, count_entries, park)
    return Counted(*map(sum, zip(*parts, strict=True)))

"""Counts a batch and settles its entries; one that cannot be counted is parked.

What was counted is settled at once: an entry that has to wait, because it collides with others or
because the database goes away meanwhile, never makes those before it come again and again.
"""

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
    """Count and settle the batch; should that fail for a reason of its own, entry by entry.

    Raises an outage of the database and collisions that stay; those entries then stay claimed.
    """

    def count_now(part: Batch) -> Counted:
        counted = count(context.engine, part, context.judge_in, clock)
        context.inbox.settle(part.entries)
        send_hint(context, refresh_flag(context.settings.redis_prefix), REFRESH)
        return counted

    def count_entries(entries: Sequence[Entry]) -> Counted:
        if len(entries) == len(batch.entries):
            return count_now(batch)
        return count_now(judged(context.judge(), entries, batch.epoch))

    def park(entry: Entry) -> Counted:
        log.error("entry cannot be counted: parked", extra={"stream_id": entry.stream_id.decode()})
        return count_now(quarantined(entry, batch.epoch, batch.receipt_maker))

    parts = together_or_singly(batch.entries, count_entries, park)
    counted = Counted(*map(sum, zip(*parts, strict=True)))
    log.info("counted", extra={"entries": len(batch.entries), **counted._asdict()})

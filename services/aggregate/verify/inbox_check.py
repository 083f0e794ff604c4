"""PostgreSQL holds what Redis accepted: accepted = counted entries + entries that still wait.

Exact under traffic, without stopping anything, by the order of the readings:

1. the inbox's totals and its newest position, at one instant: everything accepted lies up to that
   position;
2. the stream up to there: what is not seen any more was settled, hence committed, before;
3. a snapshot of PostgreSQL, younger than both: what was not seen is in it, and so may be some of
   what was seen.

Meanwhile nothing may be folded, so that entries beyond the position can be told apart and left out.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from shared.inbox.audit import Audit, HeldEntries, Totals
from shared.storage import ledger
from shared.storage.checks import ledger_checks

QUIET_WITHIN_S = 5.0  # how long to look for a moment in which nothing is settled
GIVE_UP_S = 30.0
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class InboxReading:
    """The inbox as it was read: its totals, its entries, and the settled total after the walk."""

    totals: Totals
    own: HeldEntries
    foreign: HeldEntries
    settled_later: int


def read_inbox(audit: Audit) -> InboxReading:
    """Read the inbox, if possible in a moment in which nothing was settled.

    Such moments come between two batches. Without one the reading is still right, only
    `lost_in_stream` is less sharp. Not so when a foreign entry was settled or the inbox replaced
    meanwhile: that is read again.
    """
    started = time.monotonic()
    while True:
        totals = audit.totals()
        own, foreign = audit.held(totals.last)
        later = audit.totals()
        is_same_inbox = (later.epoch, later.foreign) == (totals.epoch, totals.foreign)
        is_quiet = later.settled == totals.settled
        waited_s = time.monotonic() - started
        is_good = is_same_inbox and (is_quiet or waited_s > QUIET_WITHIN_S)
        if is_good or waited_s > GIVE_UP_S:
            return InboxReading(totals, own, foreign, later.settled)
        time.sleep(_PAUSE_S)


def lost_in_stream(inbox: InboxReading) -> Iterator[str]:
    """Yield a line unless the stream holds what is accepted and not settled.

    What was settled during the walk may be gone or not.
    """
    waiting = inbox.totals.accepted - inbox.totals.settled
    missing = waiting - inbox.own.submissions
    if 0 <= missing <= inbox.settled_later - inbox.totals.settled:
        return
    yield (
        f"Redis: accepted - settled = {waiting}, but the stream holds {inbox.own.submissions} "
        f"submissions ({_amount(missing)})"
    )


def lost_on_the_way(connection: sa.Connection, inbox: InboxReading) -> Iterator[str]:
    """Yield a line unless PostgreSQL counted what this inbox accepted, but for what waits."""
    totals = inbox.totals
    if totals.epoch is None:
        return
    counted = sum(
        epoch.accepted
        for epoch in ledger_checks.epoch_totals(connection)
        if epoch.epoch == totals.epoch
    )
    counted -= ledger_checks.accepted_after(connection, totals.epoch, totals.last)
    # Foreign entries are accepted when they are settled: those that were seen are not in the total
    # yet.
    counted -= _counted_already(connection, inbox.foreign)
    waiting = inbox.own.submissions - _counted_already(connection, inbox.own)
    missing = totals.accepted - counted - waiting
    if missing:
        yield (
            f"Redis accepted {totals.accepted}, but PostgreSQL counted {counted} and {waiting} "
            f"wait in the stream ({_amount(missing)})"
        )


def lost_before_the_horizon(connection: sa.Connection, inbox: InboxReading) -> Iterator[str]:
    """Yield a line when an entry of the stream, or one to come, would be taken as counted."""
    if inbox.totals.epoch is None:
        return
    milliseconds, sequence = inbox.totals.last
    held = [entries.oldest for entries in (inbox.own, inbox.foreign) if entries.oldest]
    oldest = min([*held, (milliseconds, sequence + 1)])
    horizon = ledger.read_horizon(connection, inbox.totals.epoch)
    if horizon > oldest:
        yield (
            f"inbox_horizon {inbox.totals.epoch}: it lies at {_position(horizon)}, beyond the "
            f"oldest entry at {_position(oldest)}, which would be taken as counted"
        )


def _counted_already(connection: sa.Connection, held: HeldEntries) -> int:
    """Return the submissions in those of the entries that are counted, only not settled."""
    total = 0
    for chunk in held.chunks():
        total += sum(chunk[entry] for entry in ledger.counted_entries(connection, chunk))
    return total


def _position(position: tuple[int, int]) -> str:
    return f"{position[0]}-{position[1]}"


def _amount(missing: int) -> str:
    return f"{missing} missing" if missing > 0 else f"{-missing} too many"

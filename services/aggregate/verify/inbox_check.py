"""Does PostgreSQL hold what Redis accepted? accepted = counted entries + entries that wait in the stream.

Exact under traffic, without stopping anything, by the order of the readings:

1. the inbox's totals and its newest position, at one instant: everything accepted lies up to that position;
2. the stream up to there: what is not seen any more was settled, hence committed, before;
3. a snapshot of PostgreSQL, younger than both: what was not seen is in it, and so may be some of what was seen.

Meanwhile nothing may be folded, so that entries beyond the position can be told apart and left out.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from services.aggregate.verify.findings import Finding
from shared.inbox.audit import Audit, HeldEntries, Totals
from shared.storage import checks, ledger

QUIET_WITHIN_S = 5.0  # how long to look for a moment in which nothing is settled
GIVE_UP_S = 30.0


@dataclass(frozen=True, slots=True)
class Inbox:
    """The inbox as it was read. `settled_later`: the settled total after the walk."""

    totals: Totals
    own: HeldEntries
    foreign: HeldEntries
    settled_later: int


def read(audit: Audit) -> Inbox:
    """Read the inbox, if possible in a moment in which nothing was settled; such moments come between two batches.

    Without one the reading is still right, only `stream_findings` is less sharp. Not so when a
    foreign entry was settled or the inbox replaced meanwhile: that is read again.
    """
    started = time.monotonic()
    while True:
        totals = audit.totals()
        own, foreign = audit.held(totals.last)
        later = audit.totals()
        same_life = (later.epoch, later.foreign) == (totals.epoch, totals.foreign)
        waited = time.monotonic() - started
        quiet = later.settled == totals.settled
        if (same_life and (quiet or waited > QUIET_WITHIN_S)) or waited > GIVE_UP_S:
            return Inbox(totals, own, foreign, later.settled)
        time.sleep(0.02)


def stream_findings(inbox: Inbox) -> Iterator[Finding]:
    """What is accepted and not settled = what the stream holds. What was settled during the walk may be gone or not."""
    waiting = inbox.totals.accepted - inbox.totals.settled
    missing = waiting - inbox.own.submissions
    if 0 <= missing <= inbox.settled_later - inbox.totals.settled:
        return
    yield Finding(
        "stream",
        f"Redis: accepted - settled = {waiting}, but the stream holds {inbox.own.submissions} submissions "
        f"({_amount(missing)})",
    )


def ledger_findings(connection: sa.Connection, inbox: Inbox) -> Iterator[Finding]:
    """What Redis accepted = what PostgreSQL counted of this life of the inbox + what waits."""
    totals = inbox.totals
    if totals.epoch is None:
        return
    counted = sum(one.accepted for one in checks.epochs(connection) if one.epoch == totals.epoch)
    counted -= checks.accepted_after(connection, totals.epoch, totals.last)
    # Foreign entries are accepted when they are settled: those that were seen are not in the total
    # yet.
    counted -= _of_counted(connection, inbox.foreign)
    waiting = inbox.own.submissions - _of_counted(connection, inbox.own)
    missing = totals.accepted - counted - waiting
    if missing:
        yield Finding(
            "accepted",
            f"Redis accepted {totals.accepted}, but PostgreSQL counted {counted} and {waiting} wait in the stream "
            f"({_amount(missing)})",
        )


def _of_counted(connection: sa.Connection, held: HeldEntries) -> int:
    """Submissions in those of the entries that are counted already, only not settled."""
    total = 0
    for chunk in held.chunks():
        total += sum(chunk[entry] for entry in ledger.counted_entries(connection, chunk))
    return total


def _amount(missing: int) -> str:
    return f"{missing} missing" if missing > 0 else f"{-missing} too many"

"""Proves promise 3 and the exactness of the figures, or says what does not hold.

    Redis ─► inbox_entry, ledger ─► receipt ─► response, parked ─► day_tally ─► rolling_ikm

Every arrow is checked from both of its ends, in one snapshot of PostgreSQL, so that traffic makes
no false finding. Nothing is changed and nothing stopped.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa
from redis.exceptions import RedisError

from services.aggregate.verify import day_tally_check, inbox_check, ledger_check
from services.aggregate.verify.findings import Finding, Report
from services.aggregate.verify.inbox_check import InboxReading
from services.aggregate.verify.rolling_check import RollingCheck
from shared.inbox.audit import Audit
from shared.progress import Progress, untold
from shared.registry.snapshot import Registry
from shared.storage import checks, ledger
from shared.storage.engine import snapshot, transaction
from shared.storage.registry import stored_registry
from shared.storage.tallies import tally_check


class Step(NamedTuple):
    """One step of a verification: its check by name, and what yields what is wrong, in words."""

    check: str
    find: Callable[[], Iterable[str]]


def verify(engine: sa.Engine, audit: Audit, progress: Progress = untold) -> Report:
    """Check everything.

    Raises what the database raises; a Redis that does not answer is a finding.
    """
    with ExitStack() as stack:
        findings: list[Finding] = []
        inbox: InboxReading | None = None
        with transaction(engine) as folding:
            ledger.postpone_folding(folding)
            try:
                inbox = inbox_check.read_inbox(audit)
            except (RedisError, OSError) as error:
                text = f"Redis cannot be read, the inbox is not checked: {error}"
                findings.append(Finding("inbox", text))
            connection = stack.enter_context(snapshot(engine))
        # The snapshot is taken, entries may be folded again.
        registry = stored_registry.load(connection)
        rolling = RollingCheck.of(connection, registry)
        steps = list(_plan(connection, inbox, registry, rolling))
        for done, (check, find) in enumerate(steps):
            progress(done, len(steps))
            findings += [Finding(check, text) for text in find()]
        progress(len(steps), len(steps))
        return Report(findings, list(_notes(connection, inbox, rolling)))


def _plan(
    connection: sa.Connection,
    inbox: InboxReading | None,
    registry: Registry,
    rolling: RollingCheck,
) -> Iterator[Step]:
    if inbox is not None:
        yield Step("stream", partial(inbox_check.lost_in_stream, inbox))
        yield Step("accepted", partial(inbox_check.lost_on_the_way, connection, inbox))
    yield Step("balance", partial(ledger_check.unbalanced, connection))
    yield Step("receipts", partial(ledger_check.missing_receipts, connection))
    for state in ledger_check.STATES:
        yield Step("receipts", partial(ledger_check.unmatched_receipts, connection, state))
    questionnaires = list(registry.questionnaires.values())
    for opds in tally_check.opd_ranges(connection):
        wrong_tallies = partial(day_tally_check.wrong_tallies, connection, opds, questionnaires)
        yield Step("tally", wrong_tallies)
    for opd_state in rolling.states:
        yield Step("rolling", partial(rolling.wrong_rows_of_opd, opd_state))
    yield Step("rolling", rolling.wrong_rows_of_instansi)
    yield Step("rolling", rolling.never_refreshed)


def _notes(
    connection: sa.Connection, inbox: InboxReading | None, rolling: RollingCheck
) -> Iterator[str]:
    total = ledger.totals(connection)
    yield ", ".join(f"{name} {number}" for name, number in total.items())
    current = inbox.totals.epoch if inbox is not None else None
    for epoch in checks.epoch_totals(connection):
        if epoch.epoch != current:
            yield (
                f"inbox {epoch.epoch} is closed (last counted {epoch.last_day}): "
                f"accepted {epoch.accepted}"
            )
    if rolling.stale:
        yield (
            f"{rolling.stale} of {len(rolling.states)} OPDs are being refreshed: "
            "their rolling rows were not compared"
        )

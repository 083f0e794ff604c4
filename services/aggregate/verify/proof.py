"""Proves promise 3 and the exactness of the figures, or says what does not hold.

    Redis ─► inbox_entry, ledger ─► receipt ─► response, parked ─► day_tally ─► rolling_ikm
                                                              released_tally ─► released_ikm

Every arrow is checked from both of its ends, in one snapshot of PostgreSQL, so that traffic makes
no false finding. Nothing is changed and nothing stopped.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

import sqlalchemy as sa
from redis.exceptions import RedisError

from services.aggregate.verify import (
    day_tally_check,
    inbox_check,
    ledger_check,
    receipt_check,
    response_check,
    state_check,
)
from services.aggregate.verify.findings import Finding, Report
from services.aggregate.verify.inbox_check import InboxReading
from services.aggregate.verify.released.breakdown_check import BreakdownCheck
from services.aggregate.verify.released.released_check import ReleasedCheck
from services.aggregate.verify.rolling_check import RollingCheck
from services.aggregate.verify.steps import UNCHECKABLE, Step, take
from shared.inbox.audit import Audit
from shared.progress import Progress, untold
from shared.registry.snapshot import Registry
from shared.storage import ledger
from shared.storage.checks import ledger_checks, receipt_checks
from shared.storage.engine import lift_time_limits, snapshot, transaction
from shared.storage.registry import stored_registry
from shared.storage.tallies import tally_check


def verify(engine: sa.Engine, audit: Audit, progress: Progress = untold) -> Report:
    """Check everything.

    Raises what the database raises; a Redis that does not answer is a finding.
    """
    with ExitStack() as stack:
        inbox: InboxReading | None = None
        unread: list[Finding] = []
        with transaction(engine) as folding:
            lift_time_limits(folding)  # the inbox may be long
            ledger.postpone_folding(folding)
            try:
                inbox = inbox_check.read_inbox(audit)
            except (RedisError, OSError) as error:
                text = f"Redis cannot be read, the inbox is not checked: {error}"
                unread.append(Finding("inbox", text))
            connection = stack.enter_context(snapshot(engine))
        # The snapshot is taken, entries may be folded again.
        report = prove(connection, inbox, progress)
        return report._replace(findings=[*unread, *report.findings])


def prove(connection: sa.Connection, inbox: InboxReading | None, progress: Progress) -> Report:
    """Check what this connection sees, and the inbox as it was read before."""
    findings: list[Finding] = []
    steps, rolling = plan(connection, inbox)
    for done, step in enumerate(steps):
        progress(done, len(steps))
        findings += take(connection, step)
    progress(len(steps), len(steps))
    return Report(findings, list(_notes(connection, inbox, rolling)))


def plan(
    connection: sa.Connection, inbox: InboxReading | None
) -> tuple[Sequence[Step], RollingCheck | None]:
    """Return the steps in their order, and the check of the rolling rows that some of them are.

    Without a registry that can be read there is none, and what follows from it is not checked.
    """
    steps = list(_steps_of_counting(connection, inbox))
    try:
        with connection.begin_nested():
            registry = stored_registry.load(connection)
    except UNCHECKABLE:
        again = partial(_load_registry, connection)
        return [
            *steps,
            Step("registry", "the registry, and all that follows from it,", again),
        ], None
    rolling = RollingCheck.of(connection, registry)
    return [*steps, *_steps_of_figures(connection, registry, rolling)], rolling


def _load_registry(connection: sa.Connection) -> Iterator[str]:
    stored_registry.load(connection)
    yield from ()


def _steps_of_counting(connection: sa.Connection, inbox: InboxReading | None) -> Iterator[Step]:
    if inbox is not None:
        yield Step("stream", "the stream", partial(inbox_check.lost_in_stream, inbox))
        lost = partial(inbox_check.lost_on_the_way, connection, inbox)
        yield Step("accepted", "what Redis accepted", lost)
        beyond = partial(inbox_check.lost_before_the_horizon, connection, inbox)
        yield Step("horizon", "the horizon of the inbox", beyond)
    yield Step("horizon", "the entries", partial(ledger_check.unfolded, connection))
    yield Step("balance", "the ledger", partial(ledger_check.unbalanced, connection))
    yield Step("receipts", "the receipts", partial(ledger_check.missing_receipts, connection))
    for state, table in receipt_checks.TABLES.items():
        unmatched = partial(receipt_check.unmatched, connection, state)
        yield Step("receipts", f"the table {table.name}", unmatched)
    contradictions = partial(receipt_check.contradictions, connection)
    yield Step("receipts", "what receipts and their rows say", contradictions)
    yield Step("identity", "the receipts", partial(receipt_check.underived, connection))
    yield Step("identity", "the ids", partial(receipt_check.repeated, connection))
    yield Step("identity", "what is parked", partial(receipt_check.altered, connection))


def _steps_of_figures(
    connection: sa.Connection, registry: Registry, rolling: RollingCheck
) -> Iterator[Step]:
    invalid = partial(response_check.invalid, connection, registry)
    yield Step("response", "the responses", invalid)
    for opds in tally_check.opd_ranges(connection):
        yield _tally_step(connection, opds, registry)
    yield Step("state", "opd_state", partial(state_check.impossible, connection, registry))
    yield Step("rolling", "opd_state", partial(state_check.never_refreshed, connection))
    released = ReleasedCheck(connection, registry, rolling.states)
    for opd_state in rolling.states:
        for find in (released.wrong_bins_of_opd, released.wrong_rows_of_opd):
            yield Step("released", f"OPD {opd_state.opd}", partial(find, opd_state))
        wrong_rows = partial(rolling.wrong_rows_of_opd, opd_state)
        yield Step("rolling", f"OPD {opd_state.opd}", wrong_rows)
    yield Step("rolling", "the instansi", rolling.wrong_rows_of_instansi)
    yield Step("released", "the instansi", released.wrong_rows_of_instansi)
    breakdown = BreakdownCheck(connection, registry)
    for opd_state in rolling.states:
        wrong_breakdowns = partial(breakdown.wrong_of_opd, opd_state.opd)
        yield Step("breakdown", f"OPD {opd_state.opd}", wrong_breakdowns)
    yield Step("breakdown", "the instansi", breakdown.wrong_of_instansi)


def _tally_step(connection: sa.Connection, opds: tally_check.OpdRange, registry: Registry) -> Step:
    questionnaires = list(registry.questionnaires.values())

    def step(part: tally_check.OpdRange) -> Step:
        wrong_tallies = partial(day_tally_check.wrong_tallies, connection, part, questionnaires)
        return Step("tally", f"the tallies of {part.until or 'the last OPD'}", wrong_tallies)

    def single_opds() -> list[Step]:
        return [step(part) for part in tally_check.single_opds(connection, opds)]

    return step(opds)._replace(parts=single_opds)


def _notes(
    connection: sa.Connection, inbox: InboxReading | None, rolling: RollingCheck | None
) -> Iterator[str]:
    total = ledger.totals(connection)
    yield ", ".join(f"{name} {number}" for name, number in total.items())
    current = inbox.totals.epoch if inbox is not None else None
    for epoch in ledger_checks.epoch_totals(connection):
        if epoch.epoch != current:
            yield (
                f"inbox {epoch.epoch} is closed (last counted {epoch.last_day}): "
                f"accepted {epoch.accepted}"
            )
    if forced := receipt_checks.forced_ids(connection):
        yield f"of {forced} ids several contents are counted (ikm parked replay --force)"
    if rolling is not None and rolling.stale:
        yield (
            f"{rolling.stale} of {len(rolling.states)} OPDs are being refreshed: "
            "their rolling rows were not compared"
        )

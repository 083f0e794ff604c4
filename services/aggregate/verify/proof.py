"""Proves promise 3 and the exactness of the figures, or says what does not hold. Changes nothing, stops nothing.

    Redis ─► inbox_entry, ledger ─► receipt ─► response, parked ─► day_tally ─► rolling_ikm

Every arrow is checked from both of its ends, in one snapshot of PostgreSQL, so that traffic makes
no false finding.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

import sqlalchemy as sa
from redis.exceptions import RedisError

from services.aggregate.verify import inbox_check
from services.aggregate.verify.findings import Finding, Report
from services.aggregate.verify.inbox_check import Inbox
from services.aggregate.verify.rolling_check import RollingCheck
from shared.domain.questionnaire import Questionnaire
from shared.inbox.audit import Audit
from shared.progress import Progress, untold
from shared.registry.snapshot import Registry
from shared.storage import checks, ledger
from shared.storage.engine import snapshot, transaction
from shared.storage.registry import stored_registry
from shared.storage.tallies import tally_check
from shared.storage.tallies.tally_check import OpdRange, TallyDifference, TallyNumbers

Check = Callable[[], Iterable[Finding]]


def verify(engine: sa.Engine, audit: Audit, progress: Progress = untold) -> Report:
    """Check everything. Raises what the database raises; a Redis that does not answer is a finding."""
    with ExitStack() as stack:
        findings: list[Finding] = []
        inbox: Inbox | None = None
        with transaction(engine) as folding:
            ledger.postpone_folding(folding)
            try:
                inbox = inbox_check.read(audit)
            except (RedisError, OSError) as error:
                findings.append(
                    Finding("inbox", f"Redis cannot be read, the inbox is not checked: {error}")
                )
            connection = stack.enter_context(snapshot(engine))
        # The snapshot is taken, entries may be folded again.
        registry = stored_registry.load(connection)
        rolling = RollingCheck.of(connection, registry)
        planned = list(_plan(connection, inbox, registry, rolling))
        for done, check in enumerate(planned):
            progress(done, len(planned))
            findings += check()
        progress(len(planned), len(planned))
        return Report(findings, list(_notes(connection, inbox, rolling)))


def _plan(
    connection: sa.Connection, inbox: Inbox | None, registry: Registry, rolling: RollingCheck
) -> Iterator[Check]:
    if inbox is not None:
        yield partial(inbox_check.stream_findings, inbox)
        yield partial(inbox_check.ledger_findings, connection, inbox)
    yield partial(_ledger, connection)
    for state in ("counted", "parked"):
        yield partial(_receipts, connection, state)
    questionnaires = list(registry.questionnaires.values())
    for part in tally_check.opd_ranges(connection):
        yield partial(_tallies, connection, part, questionnaires)
    for opd_state in rolling.states:
        yield partial(rolling.check_opd, opd_state)
    yield rolling.check_instansi
    yield rolling.check_states


def _ledger(connection: sa.Connection) -> Iterator[Finding]:
    for row in checks.unbalanced_rows(connection):
        yield Finding(
            "balance",
            f"{row.row}: accepted {row.accepted}, but counted + duplicate + parked = {row.parts}",
        )
    total = ledger.totals(connection)
    parts = total["counted"] + total["duplicate"] + total["parked"]
    if total["accepted"] != parts:
        yield Finding(
            "balance",
            f"ledger: accepted {total['accepted']}, but counted + duplicate + parked = {parts}",
        )
    entered, receipts = total["counted"] + total["parked"], checks.count_receipts(connection)
    if entered != receipts:
        yield Finding(
            "receipts",
            f"the ledger has counted + parked = {entered}, but there are {receipts} receipts",
        )


def _receipts(connection: sa.Connection, state: str) -> Iterator[Finding]:
    table = {"counted": "response", "parked": "parked"}[state]
    for some, text in (
        (
            checks.receipts_without_row(connection, state),
            f"receipts that are {state}, without a row in {table}",
        ),
        (
            checks.rows_without_receipt(connection, state),
            f"rows in {table}, without a receipt that is {state}",
        ),
    ):
        if some.total:
            more = ", …" if some.total > len(some.examples) else ""
            yield Finding("receipts", f"{text}: {some.total} ({', '.join(some.examples)}{more})")


def _tallies(
    connection: sa.Connection, part: OpdRange, questionnaires: Sequence[Questionnaire]
) -> Iterator[Finding]:
    found = tally_check.differences(connection, part, questionnaires)
    for one in found.examples:
        yield Finding("tally", _difference(one))
    if found.total > len(found.examples):
        yield Finding("tally", f"{found.total - len(found.examples)} more day tallies differ")


def _difference(one: TallyDifference) -> str:
    facet = f" {one.facet}={one.value}" if one.facet != "all" else ""
    what = f"day_tally {one.opd}/{one.layanan} {one.day}{facet} {one.questionnaire}"
    if one.stored is None or one.recomputed is None:
        n = one.recomputed.n if one.recomputed else one.stored.n if one.stored else 0
        return (
            f"{what}: no row, responses give n={n}"
            if one.stored is None
            else f"{what}: n={n}, but no responses"
        )
    pairs = zip(TallyNumbers._fields, one.stored, one.recomputed, strict=True)
    return f"{what}: " + ", ".join(
        f"{name} {has}, responses give {is_}" for name, has, is_ in pairs if has != is_
    )


def _notes(connection: sa.Connection, inbox: Inbox | None, rolling: RollingCheck) -> Iterator[str]:
    total = ledger.totals(connection)
    yield ", ".join(f"{name} {number}" for name, number in total.items())
    current = inbox.totals.epoch if inbox is not None else None
    for one in checks.epochs(connection):
        if one.epoch != current:
            yield f"inbox {one.epoch} is closed (last counted {one.last_day}): accepted {one.accepted}"
    if rolling.stale:
        yield f"{rolling.stale} of {len(rolling.states)} OPDs are being refreshed: their rolling rows were not compared"

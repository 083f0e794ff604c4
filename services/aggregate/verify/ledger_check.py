"""Every accepted submission is counted, a duplicate or parked, and has its row; or else which."""

from collections.abc import Iterator

import sqlalchemy as sa

from shared.storage import checks, ledger
from shared.storage.checks import Mismatches

STATES = {"counted": "response", "parked": "parked"}  # state of a receipt -> table of its row


def unbalanced(connection: sa.Connection) -> Iterator[str]:
    """Yield where accepted = counted + duplicate + parked does not hold: in a row, in all rows."""
    for row in checks.unbalanced_rows(connection):
        yield f"{row.name}: accepted {row.accepted}, but counted + duplicate + parked = {row.parts}"
    total = ledger.totals(connection)
    parts = total["counted"] + total["duplicate"] + total["parked"]
    if total["accepted"] != parts:
        yield f"ledger: accepted {total['accepted']}, but counted + duplicate + parked = {parts}"


def missing_receipts(connection: sa.Connection) -> Iterator[str]:
    """Yield a line when there are more or fewer receipts than submissions that got one."""
    total = ledger.totals(connection)
    receipted = total["counted"] + total["parked"]
    receipts = checks.count_receipts(connection)
    if receipted != receipts:
        yield f"the ledger has counted + parked = {receipted}, but there are {receipts} receipts"


def unmatched_receipts(connection: sa.Connection, state: str) -> Iterator[str]:
    """Yield the receipts of a state without the row that belongs to them, and such rows."""
    table = STATES[state]
    yield from _in_words(
        f"receipts that are {state}, without a row in {table}",
        checks.receipts_without_row(connection, state),
    )
    yield from _in_words(
        f"rows in {table}, without a receipt that is {state}",
        checks.rows_without_receipt(connection, state),
    )


def _in_words(subject: str, mismatches: Mismatches) -> Iterator[str]:
    if mismatches.total:
        more = ", …" if mismatches.total > len(mismatches.examples) else ""
        yield f"{subject}: {mismatches.total} ({', '.join(mismatches.examples)}{more})"

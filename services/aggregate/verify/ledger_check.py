"""What the entries came to adds up, and there are as many receipts as the ledger says."""

from collections.abc import Iterator

import sqlalchemy as sa

from services.aggregate.verify.findings import in_words
from shared.storage import ledger
from shared.storage.checks import ledger_checks


def unbalanced(connection: sa.Connection) -> Iterator[str]:
    """Yield the rows in which accepted = counted + duplicate + parked does not hold."""
    for table, mismatches in ledger_checks.unbalanced_rows(connection):
        yield from in_words(table, mismatches)


def unfolded(connection: sa.Connection) -> Iterator[str]:
    """Yield the entries that lie before the horizon of their life, where all are folded."""
    for mismatches in ledger_checks.unfolded_rows(connection):
        yield from in_words("inbox_entry", mismatches)


def missing_receipts(connection: sa.Connection) -> Iterator[str]:
    """Yield a line when there are more or fewer receipts than submissions that got one.

    A replay makes counted receipts of parked ones, and leaves the ledger as it was.
    """
    total = ledger.totals(connection)
    receipts = ledger_checks.count_receipts(connection)
    receipted, stored = total["counted"] + total["parked"], sum(receipts)
    if receipted != stored:
        yield f"the ledger has counted + parked = {receipted}, but there are {stored} receipts"
    elif receipts.counted < total["counted"]:
        yield (
            f"the ledger has counted {total['counted']}, but only {receipts.counted} receipts are: "
            "what was counted is never parked again"
        )

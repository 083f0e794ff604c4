"""`verify` notices what is changed by hand in any column, or it is said why it need not."""

from shared.storage.tables import metadata
from tests.guards.repository import expect_none
from tests.integration.aggregate.verify.tampering import (
    CHANGED,
    OF_NO_CONSEQUENCE,
    REMOVED,
    REMOVED_WITHOUT_CONSEQUENCE,
)

TABLES = set(metadata.tables)
COLUMNS = {
    f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.c
}
WHERE = "tests/integration/aggregate/verify/tampering.py"


def test_every_column_has_its_line() -> None:
    lines = CHANGED.keys() | OF_NO_CONSEQUENCE.keys()
    expect_none(COLUMNS - lines, f"say in {WHERE} what notices a change of:")
    expect_none(lines - COLUMNS, f"{WHERE} names a column that is not there:")
    expect_none(CHANGED.keys() & OF_NO_CONSEQUENCE.keys(), "noticed, or of no consequence?")


def test_every_table_has_its_line() -> None:
    lines = REMOVED.keys() | REMOVED_WITHOUT_CONSEQUENCE.keys()
    expect_none(TABLES - lines, f"say in {WHERE} what notices that rows are gone from:")
    expect_none(lines - TABLES, f"{WHERE} names a table that is not there:")


def test_what_is_of_no_consequence_says_why() -> None:
    reasons = {**OF_NO_CONSEQUENCE, **REMOVED_WITHOUT_CONSEQUENCE}
    expect_none((name for name, reason in reasons.items() if not reason), "why?")

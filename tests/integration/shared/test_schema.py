"""The tables as declared are those that the migrations make, by a real PostgreSQL's catalogue.

Alembic's own comparison leaves out checks and storage parameters; the catalogue leaves out nothing.
"""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from shared.storage.engine import opened
from shared.storage.tables import metadata

MIGRATED, DECLARED = "public", "declared"
# Every column with its type, whether it may be NULL, and its default.
COLUMNS = """
SELECT relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
  CASE WHEN attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(adbin, adrelid))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
  LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r'
  AND attnum > 0 AND NOT attisdropped
"""
# Every key, reference and check.
# (NOT NULL is of the column; its constraint keeps a column's first name.)
CONSTRAINTS = """
SELECT relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid, true)
FROM pg_class JOIN pg_constraint ON conrelid = pg_class.oid
WHERE relnamespace = CAST(:schema AS regnamespace) AND contype <> 'n'
"""
# Every index, with those of the keys.
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid, 0, true)
FROM pg_class JOIN pg_index ON indrelid = pg_class.oid
WHERE relnamespace = CAST(:schema AS regnamespace)
"""
# Every table with its storage parameters.
STORAGE = """
SELECT relname, coalesce(array_to_string(reloptions, ', '), '')
FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r'
"""
DIFFERENCES = [
    "ALTER TABLE opd ADD COLUMN phone text",
    "ALTER TABLE opd DROP COLUMN official_code",
    "ALTER TABLE opd RENAME COLUMN official_code TO official",
    "ALTER TABLE response ALTER COLUMN age TYPE integer",
    "ALTER TABLE rolling_ikm ALTER COLUMN ikm TYPE numeric(6, 2)",
    "ALTER TABLE response ALTER COLUMN comment SET NOT NULL",
    "ALTER TABLE parked ALTER COLUMN body DROP NOT NULL",
    "ALTER TABLE parked ALTER COLUMN tries DROP DEFAULT",
    "ALTER TABLE parked ALTER COLUMN tries SET DEFAULT 1",
    "DROP INDEX ix_parked_received_at",
    "CREATE INDEX ix_response_day ON response (day)",
    "ALTER TABLE receipt DROP CONSTRAINT ck_receipt_state",
    "ALTER TABLE access_key DROP CONSTRAINT uq_access_key_hash",
    "ALTER TABLE layanan DROP CONSTRAINT fk_layanan_opd",
    "ALTER TABLE ledger RENAME CONSTRAINT pk_ledger TO ledger_pkey",
    "ALTER TABLE day_tally SET (fillfactor = 90)",
    "ALTER TABLE opd_state RESET (fillfactor)",
    "CREATE TABLE forgotten (code text)",
    "DROP TABLE ledger",
]


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    """A transaction in a migrated database with the declared tables in another schema."""
    with opened(database_url) as engine, engine.connect() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {DECLARED}"))
        metadata.create_all(
            connection.execution_options(schema_translate_map={None: DECLARED}), checkfirst=False
        )
        yield connection


def described(connection: sa.Connection, schema: str) -> dict[tuple[str, str], str]:
    # With the schema on the search path its name stands in no definition.
    connection.execute(sa.text(f"SET LOCAL search_path TO {schema}"))
    return {
        (kind, name): definition
        for kind, query in (
            ("column", COLUMNS),
            ("constraint", CONSTRAINTS),
            ("index", INDEXES),
            ("table", STORAGE),
        )
        for name, definition in connection.execute(sa.text(query), {"schema": schema})
        if not name.startswith("alembic_version")
    }


def test_the_migrations_make_the_tables_that_the_code_declares(connection: sa.Connection) -> None:
    declared = described(connection, DECLARED)
    assert len([kind for kind, _ in declared if kind == "table"]) == len(metadata.tables)
    assert described(connection, MIGRATED) == declared


def test_any_difference_is_seen(connection: sa.Connection) -> None:
    declared = described(connection, DECLARED)
    for difference in DIFFERENCES:
        with connection.begin_nested() as attempt:
            connection.execute(sa.text(f"SET LOCAL search_path TO {MIGRATED}"))
            connection.execute(sa.text(difference))
            assert described(connection, MIGRATED) != declared, difference
            attempt.rollback()
    assert described(connection, MIGRATED) == declared

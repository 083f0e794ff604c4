"""Each role of the database does its own work and not the others'."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from services.ops.stack.servers import Postgres
from shared.storage.engine import opened
from shared.storage.rights.grants import EVERYTHING, READABLE, WORKABLE
from shared.storage.rights.roles import MIGRATE, READ, WORK
from shared.storage.tables import metadata

ROLES = (READ, WORK, MIGRATE)
REFUSALS = ("permission denied", "must be owner", "read-only transaction")


@pytest.fixture
def roles(database_url: str, postgres_server: Postgres) -> Iterator[dict[str, sa.Engine]]:
    """An engine for each role, on one database."""
    database = str(sa.make_url(database_url).database)
    url = postgres_server.database_url
    with (
        opened(url(database, READ)) as read,
        opened(url(database, WORK)) as work,
        opened(url(database, MIGRATE)) as migrate,
    ):
        yield {READ: read, WORK: work, MIGRATE: migrate}


def allows(engine: sa.Engine, statement: str) -> bool:
    with engine.connect() as connection:
        try:
            connection.execute(sa.text(statement))
        except sa.exc.DBAPIError as error:
            if any(refusal in str(error) for refusal in REFUSALS):
                return False
            raise
    return True


def test_for_each_table_and_column_it_is_said_what_the_read_api_may_see() -> None:
    assert READABLE.keys() == metadata.tables.keys()
    unknown = {
        f"{table}.{column}"
        for table, columns in READABLE.items()
        for column in columns
        if columns != EVERYTHING and column not in metadata.tables[table].c
    }
    assert not unknown
    assert WORKABLE.keys() <= metadata.tables.keys() | {"alembic_version"}


def test_the_read_role_sees_what_is_said_and_changes_nothing(roles: dict[str, sa.Engine]) -> None:
    for table, columns in READABLE.items():
        for column in metadata.tables[table].c:
            is_readable = columns == EVERYTHING or column.name in columns
            query = f'SELECT "{column.name}" FROM {table}'
            assert allows(roles[READ], query) == is_readable, column
        assert not allows(roles[READ], f"DELETE FROM {table}")


def test_the_read_role_sees_nothing_that_a_person_wrote(roles: dict[str, sa.Engine]) -> None:
    for column in ("response.comment", "response.scores", "parked.body", "parked.violations"):
        table, name = column.split(".")
        assert not allows(roles[READ], f"SELECT {name} FROM {table}")
        assert allows(roles[WORK], f"SELECT {name} FROM {table}")


def test_the_read_role_does_not_leave_its_corner(roles: dict[str, sa.Engine]) -> None:
    for statement in (
        "CREATE TABLE mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "SET default_transaction_read_only = off; DELETE FROM opd",
        f"SET ROLE {WORK}",
        "SELECT * FROM alembic_version",
        "SELECT pg_read_file('PG_VERSION')",
    ):
        assert not allows(roles[READ], statement), statement


def test_the_work_role_works_with_rows_and_not_with_tables(roles: dict[str, sa.Engine]) -> None:
    work = roles[WORK]
    for table in metadata.tables:
        assert allows(work, f"SELECT * FROM {table}")
        may_delete = "DELETE" in WORKABLE.get(table, ("DELETE",))
        assert allows(work, f"DELETE FROM {table} WHERE false") == may_delete
        assert not allows(work, f"TRUNCATE {table}")
        assert not allows(work, f"ALTER TABLE {table} ADD COLUMN mine int")


def test_the_work_role_owns_nothing(roles: dict[str, sa.Engine]) -> None:
    assert allows(roles[WORK], "CREATE TEMPORARY TABLE mine (LIKE day_tally INCLUDING ALL)")
    assert not allows(roles[WORK], "CREATE TABLE mine (n int)")
    assert not allows(roles[WORK], "UPDATE alembic_version SET version_num = '0000'")
    assert not allows(roles[WORK], f"SET ROLE {MIGRATE}")


def test_the_migrate_role_owns_the_tables_and_is_no_superuser(roles: dict[str, sa.Engine]) -> None:
    with roles[MIGRATE].connect() as connection:
        powers = connection.execute(
            sa.text(
                "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
                " FROM pg_roles WHERE rolname = ANY (:roles)"
            ),
            {"roles": list(ROLES)},
        ).all()
        owners = connection.scalars(
            sa.text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        ).all()
    assert [any(row) for row in powers] == [False] * len(ROLES)
    assert owners == [MIGRATE]
    assert allows(roles[MIGRATE], "CREATE TABLE mine (n int)")
    assert not allows(roles[MIGRATE], "CREATE ROLE mine")


def test_nobody_else_comes_in(postgres_server: Postgres) -> None:
    assert postgres_server.settings["listen_addresses"] == ""
    access = (postgres_server.folder / "pg_hba.conf").read_text().split()
    assert access == ["local", "all", "all", "peer", "map=ikm"]

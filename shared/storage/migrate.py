"""Brings a database to the schema of this version; running it again changes nothing."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from shared.storage.rights.grants import grant

MIGRATIONS = Path(__file__).parent / "migrations"
# Two processes that migrate at once wait for each other. The number is "IKM".
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=0x494B4D)


def upgrade(url: str) -> None:
    """Apply every migration that `url` lacks, and give each role its rights to the tables."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    # Not the engine of the services: a migration of a large table has no time limit.
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(_LOCK)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        grant(connection)

"""The roles of the database, made by its superuser, which serves for nothing else.

`roles.sql` beside this module makes them: here for the embedded server, by psql on a server of
one's own. What each may do with the tables is granted with every migration
(shared/storage/rights/grants.py).
"""

from importlib.resources import files

READ = "ikm_read"  # the read API
WORK = "ikm_work"  # workers and commands
MIGRATE = "ikm_migrate"  # owns the schema and its tables; `ikm migrate`

_PSQL_ALONE = "\\"  # what a line begins with that is for psql and not for PostgreSQL


def preparation() -> str:
    """Return what a superuser runs in the application's database; repeating it is harmless."""
    lines = files(__package__).joinpath("roles.sql").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_PSQL_ALONE))

"""What each role of the database may do with each table, granted with every migration.

A database without these roles is used by its owner alone, and nothing is granted.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from shared.storage.rights.roles import READ, WORK

EVERYTHING = ("*",)
NOTHING: Sequence[str] = ()
# The columns that the read API asks for. Not what a person wrote (comment, body, violations), not
# whom a single answer is from.
READABLE: Mapping[str, Sequence[str]] = {
    "instansi": EVERYTHING,
    "opd": EVERYTHING,
    "layanan": EVERYTHING,
    "channel": EVERYTHING,
    "channel_secret": NOTHING,  # who knows one can send in the channel's name
    "access_key": EVERYTHING,  # who may read is judged by the hash of a key
    "questionnaire": EVERYTHING,
    "registry_version": EVERYTHING,
    "installation": NOTHING,  # who knows the secret finds out who answered
    "receipt": ("receipt", "state", "reason", "received_at"),
    "former_receipt": ("former", "receipt"),
    "response": NOTHING,
    "parked": NOTHING,
    "inbox_entry": EVERYTHING,
    "inbox_horizon": NOTHING,
    "ledger": EVERYTHING,
    "day_tally": EVERYTHING,
    "opd_state": EVERYTHING,
    "rolling_ikm": EVERYTHING,
    "released_tally": EVERYTHING,
    "released_ikm": EVERYTHING,
    "released_breakdown": EVERYTHING,
    "ticket_batch": NOTHING,
    "import_file": EVERYTHING,
    "import_piece": NOTHING,  # what a file holds beside the answers is for whoever reads it alone
    "import_refusal": EVERYTHING,
}
# What the read API takes in, and changes of it: files to be imported, in transactions that say so.
RECEIVABLE: Mapping[str, Sequence[str]] = {
    "import_file": (
        "INSERT (import, channel, options, state, created_at)",
        "UPDATE (state, bytes, finished_at)",
    ),
    "import_piece": ("INSERT",),
}
_ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
# What the workers and commands do; a table that is not named: everything with its rows.
WORKABLE: Mapping[str, Sequence[str]] = {
    "alembic_version": ("SELECT",),
    "installation": ("SELECT",),
}

_ROLES = sa.text("SELECT rolname FROM pg_roles WHERE rolname IN (:read, :work)")
_TABLES = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
_SCHEMA = sa.text("SELECT quote_ident(current_schema())")


def grant(connection: sa.Connection) -> None:
    """Give the roles that exist exactly their rights to all tables; to be run by the owner."""
    roles = set(connection.scalars(_ROLES, {"read": READ, "work": WORK}))
    schema = connection.scalar(_SCHEMA)
    tables = connection.scalars(_TABLES).all()
    for role in sorted(roles):
        connection.execute(sa.text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"))
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        for table in tables:
            for right in _rights(role, table):
                connection.execute(sa.text(f'GRANT {right} ON "{table}" TO {role}'))


def _rights(role: str, table: str) -> Sequence[str]:
    if role == WORK:
        return WORKABLE.get(table, _ROWS)
    columns = READABLE.get(table, NOTHING)
    received = RECEIVABLE.get(table, NOTHING)
    if columns == EVERYTHING:
        return ("SELECT", *received)
    return (f"SELECT ({', '.join(columns)})",) if columns else received

"""Ends the sessions of processes that were frozen inside a transaction: their locks stop others.

A session that waits between two statements is ended by PostgreSQL itself
(`idle_in_transaction_session_timeout` of shared/storage/engine.py). One that waits for its client
in the middle of a COPY, or of a result that nobody takes, is ended by no time-out of PostgreSQL's:
somebody else has to.
"""

import sqlalchemy as sa

APPLICATION = "ikm"  # a session that may take long to be read must not bear the name
FROZEN_AFTER_S = 30.0

# End our sessions that have waited so long for their clients, transactions open. A frozen process
# cannot tell; a role may end its own sessions.
_END_FROZEN = sa.text("""
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = :application
  AND pid <> pg_backend_pid() AND wait_event_type = 'Client' AND xact_start IS NOT NULL
  AND state_change < clock_timestamp() - make_interval(secs => :after_s)
""")


def end_frozen_sessions(connection: sa.Connection, after_s: float = FROZEN_AFTER_S) -> int:
    """End the sessions whose clients have said and taken nothing for so long; return how many."""
    values = {"application": APPLICATION, "after_s": after_s}
    ended: int = connection.execute(_END_FROZEN, values).scalar_one()
    return ended

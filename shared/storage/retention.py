"""What is emptied after its retention: comments and the bodies of parked submissions.

Tallies, receipts and figures stay as they are. The age of a comment is that of its answers, the
age of a parked body that of its arrival, both by PostgreSQL's clock.
"""

import sqlalchemy as sa

# Empty comments of old answers.
_EMPTY_COMMENTS = sa.text("""
UPDATE response SET comment = NULL WHERE receipt IN (
  SELECT receipt FROM response
  WHERE comment IS NOT NULL AND day < CAST(now() AS date) - CAST(:days AS int)
  LIMIT :limit
  FOR UPDATE SKIP LOCKED)
""")
# Empty bodies of submissions that were parked long ago. A violation may quote what was sent.
_EMPTY_PARKED = sa.text("""
UPDATE parked SET body = '', violations = '[]', emptied_at = now() WHERE receipt IN (
  SELECT receipt FROM parked
  WHERE emptied_at IS NULL AND received_at < now() - make_interval(days => :days)
  LIMIT :limit
  FOR UPDATE SKIP LOCKED)
""")


def empty_comments(connection: sa.Connection, days: int, limit: int) -> int:
    """Empty comments older than so many days, at most `limit`; return how many."""
    return connection.execute(_EMPTY_COMMENTS, {"days": days, "limit": limit}).rowcount


def empty_parked(connection: sa.Connection, days: int, limit: int) -> int:
    """Empty parked submissions older than so many days, at most `limit`; return how many."""
    return connection.execute(_EMPTY_PARKED, {"days": days, "limit": limit}).rowcount

"""Which public breakdowns there are."""

import sqlalchemy as sa

from shared.storage.tables import released_breakdown


def periods(connection: sa.Connection) -> list[str]:
    """Return the periods of all public breakdowns."""
    period = released_breakdown.c.period
    return list(connection.scalars(sa.select(period).distinct().order_by(period)))

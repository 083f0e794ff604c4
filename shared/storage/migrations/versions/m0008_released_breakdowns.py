"""Public breakdowns of closed triwulan."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE released_breakdown (
    opd TEXT NOT NULL,
    period TEXT NOT NULL,
    facet TEXT NOT NULL,
    steps BIGINT NOT NULL,
    withheld TEXT[] NOT NULL,
    parts JSONB NOT NULL,
    cells JSONB NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_released_breakdown PRIMARY KEY (opd, period, facet)
);
"""


def upgrade() -> None:
    """Create the table; the next day that begins fills it."""
    op.execute(TABLE)

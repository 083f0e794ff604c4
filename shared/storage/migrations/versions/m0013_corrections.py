"""Corrections: what replaces or takes back what."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep where a response was answered."""
    op.execute("ALTER TABLE response ADD COLUMN point text")

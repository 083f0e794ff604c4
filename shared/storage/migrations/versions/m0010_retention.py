"""Comments and parked bodies are emptied after their retention."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note when the body of a parked submission was emptied."""
    op.execute("ALTER TABLE parked ADD COLUMN emptied_at timestamptz")

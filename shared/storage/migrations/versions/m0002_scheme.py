"""What says how an unsur is weighed is called its scheme: a profile is a respondent's."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RENAMES = """
ALTER TABLE instansi RENAME COLUMN profile TO scheme;
ALTER TABLE rolling_ikm RENAME COLUMN profile TO scheme;
"""


def upgrade() -> None:
    """Rename the columns; their values stay."""
    op.execute(RENAMES)

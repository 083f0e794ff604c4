"""The fold leaves a horizon per life of the inbox: an entry before it was counted."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HORIZON = """
CREATE TABLE inbox_horizon (
    epoch UUID NOT NULL,
    stream_ms BIGINT NOT NULL,
    stream_seq BIGINT NOT NULL,
    CONSTRAINT pk_inbox_horizon PRIMARY KEY (epoch)
);
"""


def upgrade() -> None:
    """Create the table; the first fold fills it, for earlier lives too."""
    op.execute(HORIZON)

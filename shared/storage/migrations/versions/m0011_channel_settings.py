"""Settings and secrets of channels."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TICKETS = """
ALTER TABLE opd ADD COLUMN ticket_required BOOLEAN NOT NULL DEFAULT false;
CREATE TABLE ticket_batch (
  first_serial BIGINT NOT NULL,
  size INTEGER NOT NULL,
  opd TEXT NOT NULL,
  layanan TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_ticket_batch PRIMARY KEY (first_serial),
  CONSTRAINT ck_ticket_batch_serials
    CHECK (first_serial >= 0 AND size > 0 AND first_serial + size <= 1073741824)
);
"""


def upgrade() -> None:
    """Let an OPD demand tickets; note which serials of tickets are given out."""
    op.execute(TICKETS)

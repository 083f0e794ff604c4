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
SETTINGS = """
ALTER TABLE channel ADD COLUMN settings JSONB NOT NULL DEFAULT '{}'::jsonb;
CREATE TABLE channel_secret (
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  secret TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_channel_secret PRIMARY KEY (channel, name),
  CONSTRAINT fk_channel_secret_channel FOREIGN KEY (channel) REFERENCES channel (name)
);
"""


def upgrade() -> None:
    """Let an OPD demand tickets, a channel have settings and secrets; note serials given out."""
    op.execute(TICKETS)
    op.execute(SETTINGS)

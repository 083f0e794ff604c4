"""Files that are imported."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

IMPORTS = """
CREATE TABLE import_file (
  import UUID NOT NULL,
  channel TEXT NOT NULL,
  options JSONB NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  detail TEXT,
  assumed JSONB NOT NULL DEFAULT '{}',
  bytes BIGINT NOT NULL DEFAULT 0,
  read_bytes BIGINT NOT NULL DEFAULT 0,
  rows BIGINT NOT NULL DEFAULT 0,
  accepted BIGINT NOT NULL DEFAULT 0,
  refused BIGINT NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  holder UUID,
  held_until TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_import_file PRIMARY KEY (import),
  CONSTRAINT ck_import_file_state
    CHECK (state IN ('receiving', 'waiting', 'running', 'done', 'failed', 'cancelled'))
);
CREATE INDEX ix_import_file_unfinished ON import_file (created_at)
  WHERE state IN ('receiving', 'waiting', 'running');
CREATE TABLE import_piece (
  import UUID NOT NULL,
  number INTEGER NOT NULL,
  content BYTEA NOT NULL,
  CONSTRAINT pk_import_piece PRIMARY KEY (import, number)
);
ALTER TABLE import_piece ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE import_refusal (
  import UUID NOT NULL,
  line BIGINT NOT NULL,
  violations JSONB NOT NULL,
  CONSTRAINT pk_import_refusal PRIMARY KEY (import, line)
);
"""


def upgrade() -> None:
    """Keep files in pieces until they are imported, and the report on each for a while longer."""
    op.execute(IMPORTS)

"""Keys that may submit, read, or both."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ACCESS_KEYS = """
ALTER TABLE channel_key RENAME TO access_key;
ALTER TABLE access_key RENAME CONSTRAINT pk_channel_key TO pk_access_key;
ALTER TABLE access_key RENAME CONSTRAINT uq_channel_key_hash TO uq_access_key_hash;
ALTER TABLE access_key RENAME CONSTRAINT fk_channel_key_channel TO fk_access_key_channel;
ALTER TABLE access_key
  ADD COLUMN name TEXT,
  ADD COLUMN may_submit BOOLEAN NOT NULL DEFAULT true,
  ADD COLUMN may_read BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN opd TEXT[],
  ALTER COLUMN channel DROP NOT NULL;
UPDATE access_key SET name = channel;
ALTER TABLE access_key
  ALTER COLUMN name SET NOT NULL,
  ALTER COLUMN may_submit DROP DEFAULT,
  ALTER COLUMN may_read DROP DEFAULT,
  ADD CONSTRAINT ck_access_key_submits_by_channel CHECK (may_submit = (channel IS NOT NULL)),
  ADD CONSTRAINT ck_access_key_right CHECK (may_submit OR may_read);
"""


def upgrade() -> None:
    """Give keys a name and rights; the keys of channels may submit, as before."""
    op.execute(ACCESS_KEYS)

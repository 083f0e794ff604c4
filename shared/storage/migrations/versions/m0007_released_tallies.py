"""What the public sees: released tallies and the figures made of them."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# closed_to is NULL in every row: the next refresh closes the months of the past.
TABLES = """
CREATE TABLE released_tally (
    opd TEXT NOT NULL,
    period TEXT NOT NULL,
    layanan TEXT NOT NULL,
    questionnaire TEXT NOT NULL,
    part TEXT NOT NULL,
    pool TEXT NOT NULL,
    first DATE NOT NULL,
    last DATE NOT NULL,
    n BIGINT NOT NULL,
    counts BIGINT[] NOT NULL,
    complete BIGINT NOT NULL,
    total BIGINT NOT NULL,
    total_sq BIGINT NOT NULL,
    steps INTEGER NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_released_tally
      PRIMARY KEY (opd, period, layanan, questionnaire, part, pool),
    CONSTRAINT ck_released_tally_part
      CHECK (part IN ('released', 'candidate', 'pooled', 'left')),
    CONSTRAINT ck_released_tally_pool CHECK ((part = 'pooled') = (pool <> ''))
);
CREATE INDEX ix_released_tally_opd_last ON released_tally (opd, last);
CREATE TABLE released_ikm (
    opd TEXT NOT NULL,
    layanan TEXT NOT NULL,
    "window" TEXT NOT NULL,
    first DATE,
    last DATE,
    respondents BIGINT NOT NULL,
    ikm NUMERIC(5, 2),
    mutu TEXT,
    ci_low NUMERIC(5, 2),
    ci_high NUMERIC(5, 2),
    scheme TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    withheld BOOLEAN NOT NULL,
    CONSTRAINT pk_released_ikm PRIMARY KEY (opd, layanan, "window")
)
 WITH (fillfactor = 70);
ALTER TABLE opd_state
  ADD COLUMN closed_to DATE,
  ADD COLUMN releases BIGINT DEFAULT 0 NOT NULL,
  ADD COLUMN past_releases BIGINT DEFAULT 0 NOT NULL;
"""


def upgrade() -> None:
    """Create the tables; the first refresh fills them."""
    op.execute(TABLES)

"""The first schema, as SQL: a migration never changes with the code that came after it."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE channel (
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    opd TEXT[],
    valid_from DATE,
    valid_to DATE,
    CONSTRAINT pk_channel PRIMARY KEY (name)
);
CREATE TABLE day_tally (
    opd TEXT NOT NULL,
    facet TEXT NOT NULL,
    day DATE NOT NULL,
    layanan TEXT NOT NULL,
    value TEXT NOT NULL,
    questionnaire TEXT NOT NULL,
    n INTEGER NOT NULL,
    counts INTEGER[] NOT NULL,
    complete INTEGER NOT NULL,
    total BIGINT NOT NULL,
    total_sq BIGINT NOT NULL,
    CONSTRAINT pk_day_tally PRIMARY KEY (opd, facet, day, layanan, value, questionnaire)
)
 WITH (fillfactor = 70);
CREATE TABLE inbox_entry (
    entry UUID NOT NULL,
    epoch UUID NOT NULL,
    stream_ms BIGINT NOT NULL,
    stream_seq BIGINT NOT NULL,
    accepted INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbox_entry PRIMARY KEY (entry)
);
CREATE TABLE instansi (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    primary_rollup TEXT DEFAULT 'pooled' NOT NULL,
    profile TEXT DEFAULT 'exact' NOT NULL,
    CONSTRAINT pk_instansi PRIMARY KEY (code),
    CONSTRAINT ck_instansi_primary_rollup CHECK (primary_rollup IN ('pooled', 'mean'))
);
CREATE TABLE ledger (
    epoch UUID NOT NULL,
    day DATE NOT NULL,
    accepted BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    parked BIGINT NOT NULL,
    CONSTRAINT pk_ledger PRIMARY KEY (epoch, day)
);
CREATE TABLE opd (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    official_code TEXT,
    valid_from DATE,
    valid_to DATE,
    successor TEXT,
    CONSTRAINT pk_opd PRIMARY KEY (code),
    CONSTRAINT fk_opd_successor FOREIGN KEY(successor) REFERENCES opd (code)
);
CREATE TABLE opd_state (
    opd TEXT NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    past_version BIGINT DEFAULT 0 NOT NULL,
    refreshed BIGINT DEFAULT 0 NOT NULL,
    as_of DATE,
    CONSTRAINT pk_opd_state PRIMARY KEY (opd)
)
 WITH (fillfactor = 50);
CREATE TABLE parked (
    receipt UUID NOT NULL,
    channel TEXT NOT NULL,
    source_id TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    violations JSONB NOT NULL,
    body BYTEA NOT NULL,
    tries INTEGER DEFAULT 0 NOT NULL,
    tried_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_parked PRIMARY KEY (receipt)
);
CREATE INDEX ix_parked_received_at ON parked (received_at);
CREATE TABLE questionnaire (
    code TEXT NOT NULL,
    definition JSONB NOT NULL,
    CONSTRAINT pk_questionnaire PRIMARY KEY (code)
);
CREATE TABLE receipt (
    receipt UUID NOT NULL,
    channel TEXT NOT NULL,
    source_id TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    digest INTEGER NOT NULL,
    CONSTRAINT pk_receipt PRIMARY KEY (receipt),
    CONSTRAINT ck_receipt_state CHECK (state IN ('counted', 'parked', 'replaced', 'retracted'))
);
CREATE TABLE registry_version (
    single BOOLEAN DEFAULT true NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_registry_version PRIMARY KEY (single),
    CONSTRAINT ck_registry_version_single CHECK (single)
);
CREATE TABLE response (
    receipt UUID NOT NULL,
    opd TEXT NOT NULL,
    layanan TEXT NOT NULL,
    day DATE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    questionnaire TEXT NOT NULL,
    scores TEXT NOT NULL,
    sex TEXT,
    age SMALLINT,
    education TEXT,
    occupation TEXT,
    comment TEXT,
    channel TEXT NOT NULL,
    CONSTRAINT pk_response PRIMARY KEY (receipt)
);
CREATE TABLE rolling_ikm (
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
    profile TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    computed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_rolling_ikm PRIMARY KEY (opd, layanan, "window")
)
 WITH (fillfactor = 70);
CREATE TABLE channel_key (
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    hash TEXT NOT NULL,
    label TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_channel_key PRIMARY KEY (id),
    CONSTRAINT fk_channel_key_channel FOREIGN KEY(channel) REFERENCES channel (name),
    CONSTRAINT uq_channel_key_hash UNIQUE (hash)
);
CREATE TABLE layanan (
    opd TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    users_per_year INTEGER,
    questionnaire TEXT,
    valid_from DATE,
    valid_to DATE,
    CONSTRAINT pk_layanan PRIMARY KEY (opd, code),
    CONSTRAINT fk_layanan_opd FOREIGN KEY(opd) REFERENCES opd (code),
    CONSTRAINT fk_layanan_questionnaire FOREIGN KEY(questionnaire) REFERENCES questionnaire (code)
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(SCHEMA)

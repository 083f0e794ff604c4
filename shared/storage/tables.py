"""The tables. Codes are text (opd, layanan, channel, questionnaire): a row can be read without a join."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Instant = DateTime(timezone=True)

# --- the registry: applied from a YAML file, temporal (valid_from and valid_to are local days, both
# included) ---

instansi = Table(
    "instansi",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("primary_rollup", Text, nullable=False, server_default="pooled"),
    Column("scheme", Text, nullable=False, server_default="exact"),
    CheckConstraint("primary_rollup IN ('pooled', 'mean')", name="primary_rollup"),
)

questionnaire = Table(
    "questionnaire",
    metadata,
    Column("code", Text, primary_key=True),
    Column("definition", JSONB, nullable=False),
)

opd = Table(
    "opd",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("official_code", Text),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("successor", Text, ForeignKey("opd.code")),
)

layanan = Table(
    "layanan",
    metadata,
    Column("opd", Text, ForeignKey("opd.code"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("users_per_year", Integer),
    Column("questionnaire", Text, ForeignKey("questionnaire.code")),
    Column("valid_from", Date),
    Column("valid_to", Date),
    PrimaryKeyConstraint("opd", "code"),
)

channel = Table(
    "channel",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("opd", ARRAY(Text)),  # NULL: all of them
    Column("valid_from", Date),
    Column("valid_to", Date),
)

channel_key = Table(
    "channel_key",
    metadata,
    Column("id", Text, primary_key=True),  # short, public: what `ikm key list` shows
    Column("channel", Text, ForeignKey("channel.name"), nullable=False),
    Column("hash", Text, nullable=False, unique=True),  # SHA-256 of the key, hexadecimal
    Column("label", Text),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

registry_version = Table(
    "registry_version",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column(
        "version", BigInteger, nullable=False
    ),  # grows with every change; at least the Unix time in milliseconds
    CheckConstraint("single", name="single"),
)

# --- the ledger and the answers ---

receipt = Table(
    "receipt",
    metadata,
    Column("receipt", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column(
        "digest", Integer, nullable=False
    ),  # CRC-32: tells a repetition from another content under the same id
    CheckConstraint("state IN ('counted', 'parked', 'replaced', 'retracted')", name="state"),
)

response = Table(
    "response",
    metadata,
    Column("receipt", Uuid, primary_key=True),
    Column("opd", Text, nullable=False),
    Column("layanan", Text, nullable=False),
    Column("day", Date, nullable=False),  # local day of answered_at in the instansi's zone
    Column("answered_at", Instant, nullable=False),
    Column("questionnaire", Text, nullable=False),
    Column(
        "scores", Text, nullable=False
    ),  # one digit an unsur, in questionnaire order; "-": not answered
    Column("sex", Text),
    Column("age", SmallInteger),
    Column("education", Text),
    Column("occupation", Text),
    Column("comment", Text),
    Column("channel", Text, nullable=False),
)

parked = Table(
    "parked",
    metadata,
    Column("receipt", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("violations", JSONB, nullable=False),  # [{"pointer", "code", "detail"}]
    Column("body", LargeBinary, nullable=False),  # as it was sent
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("tried_at", Instant),
    Index(None, "received_at"),
)

# --- promise 3: one row per inbox entry that was counted, folded into `ledger` once it can never
# come again ---

inbox_entry = Table(
    "inbox_entry",
    metadata,
    Column("entry", Uuid, primary_key=True),
    Column("epoch", Uuid, nullable=False),  # which life of the inbox it belonged to
    Column("stream_ms", BigInteger, nullable=False),
    Column("stream_seq", BigInteger, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("parked", Integer, nullable=False),
    Column("counted_at", Instant, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("epoch", Uuid, nullable=False),
    Column("day", Date, nullable=False),  # UTC day of counted_at
    Column("accepted", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("parked", BigInteger, nullable=False),
    PrimaryKeyConstraint("epoch", "day"),
)

# --- the tallies and what is derived from them ---

day_tally = Table(
    "day_tally",
    metadata,
    Column("opd", Text, nullable=False),
    Column("facet", Text, nullable=False),  # all, sex, age, education, occupation, channel
    Column("day", Date, nullable=False),
    Column("layanan", Text, nullable=False),
    Column("value", Text, nullable=False),  # "" for facet all
    Column("questionnaire", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column(
        "counts", ARRAY(Integer), nullable=False
    ),  # index 4*unsur + score (1-based), unsur in questionnaire order
    Column("complete", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("total_sq", BigInteger, nullable=False),
    PrimaryKeyConstraint("opd", "facet", "day", "layanan", "value", "questionnaire"),
    # Rows are updated in place once a batch: room on the page keeps those updates off the index
    # (HOT).
    postgresql_with={"fillfactor": "70"},
)

opd_state = Table(
    "opd_state",
    metadata,
    Column("opd", Text, primary_key=True),
    Column(
        "version", BigInteger, nullable=False, server_default=text("0")
    ),  # +1 with every batch that touches the OPD
    Column(
        "past_version", BigInteger, nullable=False, server_default=text("0")
    ),  # version that last touched a past day
    Column(
        "refreshed", BigInteger, nullable=False, server_default=text("0")
    ),  # version that rolling_ikm shows
    Column("as_of", Date),  # local day that rolling_ikm is rolled to
    postgresql_with={"fillfactor": "50"},
)

rolling_ikm = Table(
    "rolling_ikm",
    metadata,
    Column("opd", Text, nullable=False),  # or INSTANSI of shared/storage/rolling.py
    Column("layanan", Text, nullable=False),  # or ALL_LAYANAN
    Column("window", Text, nullable=False),
    Column("first", Date),
    Column("last", Date),
    Column("respondents", BigInteger, nullable=False),
    Column("ikm", Numeric(5, 2)),
    Column("mutu", Text),
    Column("ci_low", Numeric(5, 2)),
    Column("ci_high", Numeric(5, 2)),
    Column("scheme", Text, nullable=False),
    Column(
        "detail", JSONB, nullable=False
    ),  # unsur, comparison, sample; see services/aggregate/rolling/refresh.py
    Column("version", BigInteger, nullable=False),
    Column("computed_at", Instant, nullable=False),
    PrimaryKeyConstraint("opd", "layanan", "window"),
    postgresql_with={"fillfactor": "70"},
)

"""The tables. Codes (opd, layanan, channel, questionnaire) are text: rows need no joins."""

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

# --- the registry: applied from a YAML file, temporal ---
# valid_from and valid_to are local days, both included.

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
    # Grows with every change; at least the Unix time in milliseconds.
    Column("version", BigInteger, nullable=False),
    CheckConstraint("single", name="single"),
)

# --- who sent what, and what became of it ---

receipt = Table(
    "receipt",
    metadata,
    Column("receipt", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),  # why it is parked
    # 32 bits of a hash of what was sent: tells a repetition from another content under the same id.
    Column("digest", Integer, nullable=False),
    # An edit will need a third state, 'replaced'. It comes with the code that sets it: until then
    # no query and no check of `ikm verify` has to ask what such a receipt would mean.
    CheckConstraint("state IN ('counted', 'parked')", name="state"),
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
    # One digit an unsur, in the order of the questionnaire; "-": not answered.
    Column("scores", Text, nullable=False),
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

# --- promise 3: what every inbox entry came to ---
# One row per entry that was counted, folded into `ledger` once the entry can never come again.

inbox_entry = Table(
    "inbox_entry",
    metadata,
    Column("entry", Uuid, primary_key=True),
    Column("epoch", Uuid, nullable=False),  # the life of the inbox that it belonged to
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
    # Responses per unsur and score: at 4 * unsur + score, where the first unsur of the
    # questionnaire is 0 and the first place of the array 1.
    Column("counts", ARRAY(Integer), nullable=False),
    Column("complete", Integer, nullable=False),  # responses with every unsur answered
    # Sums of the complete responses' weighted totals, and of their squares.
    Column("total", BigInteger, nullable=False),
    Column("total_sq", BigInteger, nullable=False),
    PrimaryKeyConstraint("opd", "facet", "day", "layanan", "value", "questionnaire"),
    # Rows are updated in place once a batch: room on the page keeps the index out of it (HOT).
    postgresql_with={"fillfactor": "70"},
)

opd_state = Table(
    "opd_state",
    metadata,
    Column("opd", Text, primary_key=True),
    # +1 with every batch that touches the OPD.
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    # The version that last touched a past day.
    Column("past_version", BigInteger, nullable=False, server_default=text("0")),
    # The version that rolling_ikm shows.
    Column("refreshed", BigInteger, nullable=False, server_default=text("0")),
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
    # Unsur, comparison, sample: services/aggregate/rolling/rolling_rows.py, Detail.
    Column("detail", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("computed_at", Instant, nullable=False),
    PrimaryKeyConstraint("opd", "layanan", "window"),
    postgresql_with={"fillfactor": "70"},
)

"""The registry: applied from a YAML file, temporal.

valid_from and valid_to are local days, both included.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.storage.tables.metadata import Instant, metadata

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
    Column("ticket_required", Boolean, nullable=False, server_default=text("false")),
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
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
)

# What a channel's sender signs with, or is known by. Unlike a key it must be kept as it is, to
# check a signature: in every backup, and shown to nobody.
channel_secret = Table(
    "channel_secret",
    metadata,
    Column("channel", Text, ForeignKey("channel.name"), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    PrimaryKeyConstraint("channel", "name"),
)

access_key = Table(
    "access_key",
    metadata,
    Column("id", Text, primary_key=True),  # short, public: what `ikm key list` shows
    Column("channel", Text, ForeignKey("channel.name")),  # NULL: of a reader, who sends nothing
    Column("hash", Text, nullable=False, unique=True),  # SHA-256 of the key, hexadecimal
    Column("label", Text),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("name", Text, nullable=False),  # of the channel or the reader
    Column("may_submit", Boolean, nullable=False),
    Column("may_read", Boolean, nullable=False),
    Column("opd", ARRAY(Text)),  # which ones it may read; NULL: all of them
    CheckConstraint("may_submit = (channel IS NOT NULL)", name="submits_by_channel"),
    CheckConstraint("may_submit OR may_read", name="right"),
)

registry_version = Table(
    "registry_version",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    # Grows with every change; at least the Unix time in milliseconds.
    Column("version", BigInteger, nullable=False),
    CheckConstraint("single", name="single"),
)

# Made once, by a migration.
installation = Table(
    "installation",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    # Every receipt follows from it: never shown, never changed, and in every backup.
    Column("secret", LargeBinary, nullable=False),
    CheckConstraint("single", name="single"),
    CheckConstraint("octet_length(secret) = 32", name="secret"),
)

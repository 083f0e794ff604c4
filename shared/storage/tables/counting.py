"""Who sent what, and what became of it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.storage.tables.metadata import Instant, metadata

receipt = Table(
    "receipt",
    metadata,
    Column("receipt", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),  # why it is parked
    # 64 bits of a hash of what was sent: tells a repetition from another content under the same id.
    # NULL, before digests had 64 bits: whatever comes under that id is a repetition.
    Column("digest", BigInteger),
    # An edit will need a third state, 'replaced'. It comes with the code that sets it: until then
    # no query and no check of `ikm verify` has to ask what such a receipt would mean.
    CheckConstraint("state IN ('counted', 'parked')", name="state"),
)

# The receipts that were given out before receipts followed from a secret. They tell what became of
# a submission, and no new one is ever added.
former_receipt = Table(
    "former_receipt",
    metadata,
    Column("former", Uuid, primary_key=True),
    Column("receipt", Uuid, nullable=False),
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
    Column("point", Text),  # where it was answered: a counter, a kiosk
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
    # When its retention was over: body and violations are empty since then.
    Column("emptied_at", Instant),
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

# Stream positions per life of the inbox: before its horizon an entry is counted, and folded.
inbox_horizon = Table(
    "inbox_horizon",
    metadata,
    Column("epoch", Uuid, primary_key=True),
    Column("stream_ms", BigInteger, nullable=False),
    Column("stream_seq", BigInteger, nullable=False),
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

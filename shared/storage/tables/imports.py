"""Files that are imported: in pieces until they are read, with a report of what was refused."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.storage.tables.metadata import Instant, metadata

_ZERO = text("0")

import_file = Table(
    "import_file",
    metadata,
    Column("import", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("options", JSONB, nullable=False),  # how it is to be read; nothing of its name
    Column("state", Text, nullable=False),
    Column("reason", Text),  # why it failed: a code
    Column("detail", Text),  # the same for people
    Column("assumed", JSONB, nullable=False, server_default=text("'{}'")),  # encoding, delimiter, …
    Column("bytes", BigInteger, nullable=False, server_default=_ZERO),
    Column("read_bytes", BigInteger, nullable=False, server_default=_ZERO),
    # Rows that are done with: where another worker goes on.
    Column("rows", BigInteger, nullable=False, server_default=_ZERO),
    Column("accepted", BigInteger, nullable=False, server_default=_ZERO),
    Column("refused", BigInteger, nullable=False, server_default=_ZERO),
    Column("tries", Integer, nullable=False, server_default=_ZERO),  # since it last advanced
    Column("holder", Uuid),  # who reads it, and until when nobody else does
    Column("held_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    CheckConstraint(
        "state IN ('receiving', 'waiting', 'running', 'done', 'failed', 'cancelled')", name="state"
    ),
    Index(
        "ix_import_file_unfinished",
        "created_at",
        postgresql_where=text("state IN ('receiving', 'waiting', 'running')"),
    ),
)

import_piece = Table(
    "import_piece",
    metadata,
    Column("import", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("import", "number"),
)

import_refusal = Table(
    "import_refusal",
    metadata,
    Column("import", Uuid, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("violations", JSONB, nullable=False),  # [{"pointer", "code", "detail"}]
    PrimaryKeyConstraint("import", "line"),
)

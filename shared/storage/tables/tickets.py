"""Which serials of tickets are given out. The codes follow from them and the secret."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table, Text

from shared.domain.submission.ticket import SERIALS
from shared.storage.tables.metadata import Instant, metadata

ticket_batch = Table(
    "ticket_batch",
    metadata,
    Column("first_serial", BigInteger, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("opd", Text, nullable=False),
    Column("layanan", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint(
        f"first_serial >= 0 AND size > 0 AND first_serial + size <= {SERIALS}", name="serials"
    ),
)

"""What the public sees of profiles and channels: a row for each triwulan and facet."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.storage.tables.metadata import Instant, metadata

released_breakdown = Table(
    "released_breakdown",
    metadata,
    Column("opd", Text, nullable=False),  # or INSTANSI of shared/storage/rolling.py
    Column("period", Text, nullable=False),  # a triwulan
    Column("facet", Text, nullable=False),  # as in day_tally, without all
    # The steps in the triwulan when it was last looked at, whether or not that changed anything.
    Column("steps", BigInteger, nullable=False),
    Column("withheld", ARRAY(Text), nullable=False),  # the values whose cells are not shown
    # {part: {value: respondents}}: what the cells are made of, by when it was added.
    Column("parts", JSONB, nullable=False),
    Column("cells", JSONB, nullable=False),  # [{value, questionnaire, vector}]
    Column("released_at", Instant),  # when the cells last changed; NULL: there is nothing yet
    PrimaryKeyConstraint("opd", "period", "facet"),
)

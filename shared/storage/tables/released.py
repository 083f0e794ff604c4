"""What the public sees: released tallies, and the figures made of them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.storage.tables.metadata import Instant, metadata

# A bin is an OPD, period, layanan and questionnaire; each of its parts is a row. Public is what
# is `released`. See shared/domain/release.py.
released_tally = Table(
    "released_tally",
    metadata,
    Column("opd", Text, nullable=False),
    # A month ("2026-05"); for a pool of leftovers also a triwulan, a semester or a year.
    Column("period", Text, nullable=False),
    Column("layanan", Text, nullable=False),  # "" for a pool of leftovers
    Column("questionnaire", Text, nullable=False),
    # released: the sum of the bin's steps; candidate: the tally that will be released next;
    # pooled: what left the bin through a pool; left: what the close left out, until it is released.
    Column("part", Text, nullable=False),
    Column("pool", Text, nullable=False),  # of what is pooled: the period of the pool that took it
    Column("first", Date, nullable=False),  # local days of the period, both included
    Column("last", Date, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("counts", ARRAY(BigInteger), nullable=False),
    Column("complete", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("total_sq", BigInteger, nullable=False),
    Column("steps", Integer, nullable=False),  # that were released, each of five changes or more
    Column("released_at", Instant),  # of the last step; NULL for a part that is not released
    PrimaryKeyConstraint("opd", "period", "layanan", "questionnaire", "part", "pool"),
    Index(None, "opd", "last"),
    CheckConstraint("part IN ('released', 'candidate', 'pooled', 'left')", name="part"),
    CheckConstraint("(part = 'pooled') = (pool <> '')", name="pool"),
)

released_ikm = Table(
    "released_ikm",
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
    # As in rolling_ikm.
    Column("detail", JSONB, nullable=False),
    # The steps of the OPD so far: nothing in a public row moves between two steps.
    Column("version", BigInteger, nullable=False),
    Column("released_at", Instant),  # of the last step in it; NULL: nothing was released
    # Nothing was released, or responses of a closed month were left out.
    Column("withheld", Boolean, nullable=False),
    PrimaryKeyConstraint("opd", "layanan", "window"),
    postgresql_with={"fillfactor": "70"},
)

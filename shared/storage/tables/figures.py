"""The tallies and what is derived from them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.storage.tables.metadata import Instant, metadata

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
    Column("closed_to", Date),  # last local day of the months that were closed
    # +1 with every refresh that moved one of its bins.
    Column("releases", BigInteger, nullable=False, server_default=text("0")),
    # The one that last moved a bin of a period that is over.
    Column("past_releases", BigInteger, nullable=False, server_default=text("0")),
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

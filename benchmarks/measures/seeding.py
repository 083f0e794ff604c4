"""A year of responses made inside PostgreSQL, with the day tallies and rolling rows of them.

Every response follows from its number: twelve OPDs with four services each, 365 days, sixteen sets
of answers. The tallies hold facet `all` alone, which is what indexes are read from.
"""

from datetime import UTC, date, datetime, timedelta

import psycopg

from benchmarks.running.product import Product
from services.aggregate.rolling.refresh import Cache, refresh
from shared.domain.questionnaire import SKM_2017
from shared.storage.engine import opened
from shared.storage.registry import stored_registry

DAYS = 365
ANSWERS = (
    "443444433", "333333333", "444444444", "343434343", "334433443", "443344334", "233443344",
    "444333444", "434343434", "333444333", "344434443", "443443443", "222333444", "434444344",
    "343344434", "143434244",
)  # fmt: skip

# The keys are made after the rows: sorting once is faster than inserting in random order.
RESPONSES = """
ALTER TABLE response DROP CONSTRAINT pk_response;
INSERT INTO response (receipt, opd, layanan, day, answered_at, questionnaire, scores,
                      sex, age, education, occupation, comment, channel)
SELECT gen_random_uuid(), 'opd-' || to_char(1 + i %% 12, 'FM00'), 'layanan-' || 1 + i / 12 %% 4,
       %(today)s::date - (i / 48 %% %(days)s)::int,
       %(today)s::date - (i / 48 %% %(days)s)::int + time '09:00',
       %(questionnaire)s, (%(answers)s::text[])[1 + i %% 7 + i / 7 %% 10],
       CASE WHEN i %% 2 = 0 THEN 'L' ELSE 'P' END, 17 + i %% 60, 'S1', 'SWASTA', NULL, 'bench'
FROM generate_series(0, %(number)s::int - 1) AS i;
ALTER TABLE response ADD CONSTRAINT pk_response PRIMARY KEY (receipt);
"""

TALLIES = """
WITH grouped AS (
  SELECT opd, layanan, day, questionnaire, scores, count(*) AS n
  FROM response
  GROUP BY 1, 2, 3, 4, 5
), digits AS (
  SELECT *, (SELECT sum(digit::int) FROM regexp_split_to_table(scores, '') AS digit) AS total
  FROM grouped
)
INSERT INTO day_tally (opd, facet, day, layanan, value, questionnaire, n, counts, complete,
                       total, total_sq)
SELECT opd, 'all', day, layanan, '', questionnaire, sum(n), ARRAY[{counts}], sum(n), sum(n * total),
       sum(n * total * total)
FROM digits GROUP BY opd, day, layanan, questionnaire;
"""

STATES = """
INSERT INTO opd_state AS s (opd, version, past_version) SELECT DISTINCT opd, 1, 1 FROM day_tally
ON CONFLICT (opd) DO UPDATE SET version = s.version + 1, past_version = s.version + 1
"""


def seed(product: Product, number: int, now: datetime) -> None:
    """Fill the empty tables with `number` responses of the year before `now`, and refresh."""
    with product.connect() as connection:
        connection.execute("SET synchronous_commit = off")
        _responses(connection, number, now.date() - timedelta(days=1))
        connection.execute(TALLIES.format(counts=_counts()).encode())
        connection.execute(STATES)
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT sum(n)::int FROM day_tally").fetchone()
        assert row == (number,), row
    with opened(product.settings.need_database()) as engine:
        with engine.connect() as connected:
            registry = stored_registry.load(connected)
        refresh(engine, registry, lambda _: now.astimezone(UTC), Cache())


def _responses(
    connection: "psycopg.Connection[tuple[object, ...]]", number: int, today: date
) -> None:
    values = {
        "number": number,
        "days": DAYS,
        "today": today,
        "questionnaire": SKM_2017.code,
        "answers": list(ANSWERS),
    }
    for statement in RESPONSES.strip().split(";\n"):
        connection.execute(statement.rstrip(";").encode(), values if "%(" in statement else None)


def _counts() -> str:
    cells = ((unsur, score) for unsur in range(1, SKM_2017.size + 1) for score in range(1, 5))
    return ", ".join(
        f"coalesce(sum(n) FILTER (WHERE substr(scores, {unsur}, 1) = '{score}'), 0)"
        for unsur, score in cells
    )

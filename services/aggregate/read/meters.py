"""The numbers of the way out, in Prometheus' form: read from PostgreSQL when they are asked for."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.aggregate.read.figures.source import QUERY_TIMEOUT_MS
from services.aggregate.read.snapshot import CurrentSnapshot
from shared.clock import Clock
from shared.storage import ledger, lookups
from shared.storage.engine import limit_statement_time, transaction

_OUTCOMES = {
    "accepted": ("ikm_settled_submissions", "Submissions that were taken out of the inbox"),
    "counted": ("ikm_counted_submissions", "Of these: became a response"),
    "duplicate": ("ikm_duplicate_submissions", "Of these: were there already"),
    "parked": ("ikm_parked_submissions", "Of these: were parked until the registry is mended"),
}


class ReadMeters(Collector):
    """Totals of the ledger, and how far the figures lag; without PostgreSQL: that it is away."""

    def __init__(self, engine: sa.Engine, current: CurrentSnapshot, clock: Clock) -> None:
        self._engine = engine
        self._current = current
        self._clock = clock
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers as they are now."""
        if not self._current.connected:  # whoever asks must not wait for it, either
            yield GaugeMetricFamily("ikm_database_up", "1 while PostgreSQL answers", 0)
            return
        try:
            with transaction(self._engine) as connection:
                limit_statement_time(connection, QUERY_TIMEOUT_MS)
                totals, lag = ledger.totals(connection), lookups.rolling_lag(connection)
        except sa.exc.SQLAlchemyError:
            yield GaugeMetricFamily("ikm_database_up", "1 while PostgreSQL answers", 0)
            return
        yield GaugeMetricFamily("ikm_database_up", "1 while PostgreSQL answers", 1)
        for outcome, (name, meaning) in _OUTCOMES.items():
            yield CounterMetricFamily(name, meaning, totals[outcome])
        yield GaugeMetricFamily(
            "ikm_stale_opd", "OPDs with counts that the rolling table does not show yet", lag.stale
        )
        if lag.changed_at is not None:
            yield self._age_of_figures(lag.changed_at)

    def _age_of_figures(self, changed_at: datetime) -> Metric:
        age_s = (self._clock() - changed_at).total_seconds()
        return GaugeMetricFamily(
            "ikm_rolling_age_seconds", "Since the instansi's figures last changed", max(0.0, age_s)
        )

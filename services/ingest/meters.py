"""The numbers of one ingest process, in Prometheus' form."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.ingest.watch import Watch


@dataclass(slots=True)
class Outcomes:
    """How many submissions of the requests that were stored were accepted, and how many refused."""

    accepted: int = 0
    refused: int = 0


class IngestMeters(Collector):
    """Counts in plain integers, which a request can afford; metrics are made when somebody asks."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._outcomes: dict[str, Outcomes] = {}  # of each wire format
        self._problems: Counter[str] = Counter()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def outcomes(self, format_name: str) -> Outcomes:
        """Return the counts of one wire format, which its endpoint counts up."""
        return self._outcomes.setdefault(format_name, Outcomes())

    def refused(self, code: str) -> None:
        """Count a request that was answered with a problem."""
        self._problems[code] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        submissions = CounterMetricFamily(
            "ikm_ingest_submissions",
            "Submissions by wire format and outcome",
            labels=["format", "outcome"],
        )
        for name, outcomes in self._outcomes.items():
            for outcome, count in asdict(outcomes).items():
                if count:
                    submissions.add_metric([name, outcome], count)
        yield submissions
        problems = CounterMetricFamily(
            "ikm_ingest_refused_requests", "Requests answered with a problem", labels=["code"]
        )
        for code, count in self._problems.items():
            problems.add_metric([code], count)
        yield problems
        watch = self._watch
        yield GaugeMetricFamily(
            "ikm_inbox_waiting_submissions", "Accepted and not yet settled", watch.waiting
        )
        yield GaugeMetricFamily(
            "ikm_inbox_memory_share",
            "Share of Redis' maxmemory in use; 0 without a limit",
            watch.memory_share,
        )
        yield GaugeMetricFamily(
            "ikm_ingest_accepting", "1 while submissions are accepted", watch.refusal is None
        )
        yield GaugeMetricFamily(
            "ikm_registry_version", "Version of the registry in use", watch.registry.version
        )

    def text(self) -> bytes:
        """Return the exposition text."""
        return generate_latest(self._registry)

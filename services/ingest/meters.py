"""The numbers of one ingest process, in Prometheus' form."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from services.ingest.limits import Watch


class Meters:
    """Counters of what was accepted and refused, gauges of the inbox as it was last seen."""

    def __init__(self, watch: Watch) -> None:
        self._registry = CollectorRegistry()
        submissions = Counter(
            "ikm_ingest_submissions",
            "Submissions by wire format and outcome",
            ["format", "outcome"],
            registry=self._registry,
        )
        self._submissions = {
            (form, outcome): submissions.labels(form, outcome)
            for form in ("submissions", "events")
            for outcome in ("accepted", "refused")
        }
        self._problems = Counter(
            "ikm_ingest_refused_requests", "Requests answered with a problem", ["code"], registry=self._registry
        )
        for name, meaning, value in (
            ("ikm_inbox_waiting_submissions", "Accepted and not yet settled", lambda: watch.waiting),
            (
                "ikm_inbox_memory_share",
                "Share of Redis' maxmemory in use; 0 without a limit",
                lambda: watch.memory_share,
            ),
            ("ikm_ingest_accepting", "1 while submissions are accepted", lambda: float(watch.refusal is None)),
            ("ikm_registry_version", "Version of the registry in use", lambda: watch.registry.version),
        ):
            Gauge(name, meaning, registry=self._registry).set_function(value)

    def accepted(self, form: str, accepted: int, refused: int) -> None:
        """A request was stored."""
        self._submissions[form, "accepted"].inc(accepted)
        if refused:
            self._submissions[form, "refused"].inc(refused)

    def refused(self, code: str) -> None:
        """A request was answered with a problem."""
        self._problems.labels(code).inc()

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

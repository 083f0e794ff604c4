"""How a system is: what `ikm status` gathers from the service, Redis and PostgreSQL; each of them may be away."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from redis.exceptions import RedisError

from shared.clock import utc_now
from shared.connections import worker_redis
from shared.inbox import Reader
from shared.settings import Settings, running_stack
from shared.storage import ledger, parking, rolling
from shared.storage import registry as stored_registry
from shared.storage.engine import create_engine

OLD_S = 60.0  # submissions that wait longer than this are not being counted
_TIMEOUT_S = 3.0


@dataclass(slots=True)
class Health:
    """What was found, part by part; a part that is away is an empty mapping and a trouble."""

    stack: Mapping[str, Any]
    service: Mapping[str, Any] = field(default_factory=dict)
    inbox: Mapping[str, Any] = field(default_factory=dict)
    database: Mapping[str, Any] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "well": not self.troubles,
            "troubles": self.troubles,
            "stack": {name: self.stack[name] for name in ("pid", "url", "processes") if name in self.stack},
            "service": dict(self.service),
            "inbox": dict(self.inbox) or None,
            **self.database,
        }

    def lines(self) -> Iterator[tuple[str, str]]:
        """For people."""
        if self.stack:
            yield "tumpukan / stack", f"{self.stack.get('url', '?')}  (pid {self.stack.get('pid', '?')})"
        if self.service:
            promise = self.service.get("durability", {}).get("promise", "?")
            yield "layanan / service", f"{'siap / ready' if self.service.get('ready') else 'belum / not ready'}"
            yield "202 berarti / means", promise
        if self.inbox:
            waiting, age = self.inbox["waiting"], self.inbox["oldest_age"]
            yield "menunggu / waiting", f"{waiting:,} ({age:.1f} s)"
        for name in ("accepted", "counted", "duplicate", "parked"):
            if self.database:
                yield name, f"{self.database['ledger'][name]:,}"
        for reason, count in self.database.get("parked", {}).items():
            yield f"  {reason}", f"{count:,}"
        if self.database:
            yield "OPD, basi / stale", f"{self.database['opd']}, {self.database['stale']}"
            yield "registry", str(self.database["registry"])


def look(settings: Settings) -> Health:
    """Look at everything. Raises ConfigurationError when no server is known at all."""
    database, redis = settings.need_database(), settings.need_redis()
    health = Health(running_stack(settings.home))
    _service(health, settings)
    _inbox(health, redis, settings.redis_prefix)
    _database(health, database)
    return health


def _service(health: Health, settings: Settings) -> None:
    url = f"{health.stack.get('url') or f'http://127.0.0.1:{settings.port}'}/readyz"
    try:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (ours, http)
                health.service = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                health.service = json.load(error)
    except (OSError, ValueError) as error:
        if health.stack:  # elsewhere the service may well be on another machine
            health.troubles.append(f"{url}: {error}")
        return
    if not health.service.get("ready", True):
        health.troubles.append(f"{url}: not ready: {health.service.get('reason')}")


def _inbox(health: Health, url: str, prefix: str) -> None:
    try:
        depth = Reader(worker_redis(url, timeout=_TIMEOUT_S), prefix, "status").depth()
    except (RedisError, OSError) as error:
        health.troubles.append(f"Redis: {error}")
        return
    health.inbox = {"waiting": depth.waiting, "entries": depth.entries, "oldest_age": round(depth.oldest_age, 3)}
    if depth.oldest_age > OLD_S:
        health.troubles.append(f"the oldest submission has waited {depth.oldest_age:.0f} s: do workers run?")


def _database(health: Health, url: str) -> None:
    try:
        with create_engine(url).connect() as connection:
            registry = stored_registry.load(connection)
            today = utc_now().astimezone(registry.instansi.zone).date()
            states = rolling.states(connection)
            health.database = {
                "ledger": ledger.totals(connection),
                "parked": {row["reason"]: row["submissions"] for row in parking.reasons(connection)},
                "opd": len(registry.opd),
                "stale": sum(state.version > state.refreshed or state.as_of != today for state in states),
                "registry": registry.version,
            }
    except sa.exc.SQLAlchemyError as error:
        health.troubles.append(f"PostgreSQL: {str(error).splitlines()[0]}")

"""How a system is, as `ikm status` shows it: stack, service, Redis and PostgreSQL, if not away."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from redis import Redis
from redis.exceptions import RedisError

from services.ops.client import Client
from shared.clock import utc_now
from shared.connections import worker_redis
from shared.inbox.reader import Reader
from shared.registry.publication import version_key
from shared.settings import Settings, running_stack
from shared.storage import ledger, parking, rolling
from shared.storage.engine import opened
from shared.storage.registry import stored_registry
from shared.storage.rolling import OpdState

OLD_S = 60.0  # submissions that wait longer than this are not being counted
STALE_S = 3.0  # an OPD that stays stale longer than this is not being refreshed
_TIMEOUT_S = 3.0


@dataclass(slots=True)
class Health:
    """The state of each part; a part that is away is an empty mapping and a trouble."""

    stack: Mapping[str, Any]
    processes: Mapping[str, bool] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)
    inbox: Mapping[str, Any] = field(default_factory=dict)
    database: Mapping[str, Any] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return all of it for programs."""
        stack = {name: self.stack[name] for name in ("pid", "url") if name in self.stack}
        return {
            "well": not self.troubles,
            "troubles": self.troubles,
            "stack": {**stack, "processes": dict(self.processes)} if stack else None,
            "service": dict(self.service) or None,
            "inbox": dict(self.inbox) or None,
            "database": dict(self.database) or None,
        }

    def lines(self) -> Iterator[tuple[str, str]]:
        """Return all of it for people, as labels and values."""
        if self.stack:
            url, pid = self.stack.get("url", "?"), self.stack.get("pid", "?")
            yield "tumpukan / stack", f"{url}  (pid {pid})"
        if self.processes:
            running = [name for name, is_running in self.processes.items() if is_running]
            yield "proses / processes", " ".join(running) or "-"
        if self.service:
            is_ready = self.service.get("ready")
            yield "layanan / service", "siap / ready" if is_ready else "belum / not ready"
            yield "202 berarti / means", str(self.service.get("durability", {}).get("promise", "?"))
            if self.service.get("store", {}).get("outdated"):
                yield "Redis", "versi lama, tidak diperbaiki lagi / outdated: install a newer one"
        if self.inbox:
            waiting, oldest_age_s = self.inbox["waiting"], self.inbox["oldest_age"]
            yield "menunggu / waiting", f"{waiting:,} ({oldest_age_s:.1f} s)"
        if self.database:
            yield from self._lines_of_database(self.database)

    @staticmethod
    def _lines_of_database(database: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for state, number in database["ledger"].items():
            yield state, f"{number:,}"
        yield "diparkir / now parked", f"{sum(database['parked'].values()):,}"
        for reason, number in database["parked"].items():
            yield f"  {reason}", f"{number:,}"
        yield "OPD, basi / stale", f"{database['opd']}, {database['stale']}"
        yield "registry", str(database["registry"])


def examine(settings: Settings) -> Health:
    """Look at everything; raise ConfigurationError when no server is known at all."""
    database, redis = settings.need_database(), settings.need_redis()
    health = Health(running_stack(settings.home))
    _processes(health)
    _service(health, settings)
    published = None
    try:
        with worker_redis(redis, timeout_s=_TIMEOUT_S) as client:
            published = _inbox(health, client, settings.redis_prefix)
    except (RedisError, OSError) as error:
        health.troubles.append(f"Redis: {error}")
    try:
        with opened(database) as engine:
            _database(health, engine)
    except sa.exc.SQLAlchemyError as error:
        health.troubles.append(f"PostgreSQL: {str(error).splitlines()[0]}")
    if health.inbox and health.database and published != health.database["registry"]:
        health.troubles.append(
            f"registry {health.database['registry']} is not published: "
            f"Redis has {'none' if published is None else published}"
        )
    return health


def _processes(health: Health) -> None:
    if not health.stack:
        return
    pids = {"up": health.stack.get("pid"), **health.stack.get("processes", {})}
    health.processes = {name: isinstance(pid, int) and _runs(pid) for name, pid in pids.items()}
    health.troubles += [
        f"{name} does not run" for name, is_running in health.processes.items() if not is_running
    ]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        return True
    return True


def _service(health: Health, settings: Settings) -> None:
    address = health.stack.get("url") or f"http://127.0.0.1:{settings.port}"
    with Client(str(address)) as client:
        readiness = client.readiness(_TIMEOUT_S)
    health.service = readiness.state
    if not readiness.state:
        if health.stack:  # elsewhere the service may well be on another machine
            health.troubles.append(f"{address}/readyz: {readiness.text}")
    elif not readiness.state.get("ready", True):
        reason = readiness.state.get("reason")
        health.troubles.append(f"{address}/readyz: not ready: {reason}")


def _inbox(health: Health, redis: Redis, prefix: str) -> int | None:
    depth = Reader(redis, prefix, "status").depth()
    health.inbox = {
        "waiting": depth.waiting,
        "entries": depth.entries,
        "oldest_age": round(depth.oldest_age_s, 3),
    }
    if depth.oldest_age_s > OLD_S:
        health.troubles.append(
            f"the oldest submission has waited {depth.oldest_age_s:.0f} s: do workers run?"
        )
    version: Any = redis.get(version_key(prefix))
    return None if version is None else int(version)


def _database(health: Health, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        registry = stored_registry.load(connection)
        health.database = {
            "ledger": ledger.totals(connection),
            "parked": parking.count_by_reason(connection),
            "opd": len(registry.opd),
            "stale": len(_stale(connection, registry.instansi.zone)),
            "registry": registry.version,
        }
    if stuck := _stuck(engine, registry.instansi.zone):
        named = ", ".join(sorted(state.opd for state in stuck)[:5])
        health.troubles.append(
            f"{len(stuck)} OPDs are not being refreshed ({named}): do workers run?"
        )


def _stale(connection: sa.Connection, zone: ZoneInfo) -> set[OpdState]:
    today = utc_now().astimezone(zone).date()
    return {
        state
        for state in rolling.read_states(connection)
        if state.version > state.refreshed or (state.as_of or date.min) < today
    }


def _stuck(engine: sa.Engine, zone: ZoneInfo) -> Sequence[OpdState]:
    """Return the OPDs whose rows do not move: being stale for a moment is how things are."""
    stuck = _stale_by_progress(engine, zone)
    deadline = time.monotonic() + STALE_S
    while stuck and time.monotonic() <= deadline:
        time.sleep(0.2)
        stale = _stale_by_progress(engine, zone)
        stuck = {unmoved: state for unmoved, state in stuck.items() if unmoved in stale}
    return list(stuck.values())


def _stale_by_progress(
    engine: sa.Engine, zone: ZoneInfo
) -> dict[tuple[str, int, date | None], OpdState]:
    """Return the stale OPDs by how far their rolling rows have come."""
    with engine.connect() as connection:
        stale = _stale(connection, zone)
    return {(state.opd, state.refreshed, state.as_of): state for state in stale}

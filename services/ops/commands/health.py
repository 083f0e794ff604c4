"""How a system is: what `ikm status` gathers from the stack, the service, Redis and PostgreSQL; each may be away."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from redis import Redis
from redis.exceptions import RedisError

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
    """What was found, part by part; a part that is away is an empty mapping and a trouble."""

    stack: Mapping[str, Any]
    processes: Mapping[str, bool] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)
    inbox: Mapping[str, Any] = field(default_factory=dict)
    database: Mapping[str, Any] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For programs."""
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
        """For people."""
        if self.stack:
            yield (
                "tumpukan / stack",
                f"{self.stack.get('url', '?')}  (pid {self.stack.get('pid', '?')})",
            )
        if self.processes:
            yield (
                "proses / processes",
                " ".join(name for name, runs in self.processes.items() if runs) or "-",
            )
        if self.service:
            yield (
                "layanan / service",
                f"{'siap / ready' if self.service.get('ready') else 'belum / not ready'}",
            )
            yield "202 berarti / means", str(self.service.get("durability", {}).get("promise", "?"))
        if self.inbox:
            yield (
                "menunggu / waiting",
                f"{self.inbox['waiting']:,} ({self.inbox['oldest_age']:.1f} s)",
            )
        if self.database:
            yield from ((name, f"{number:,}") for name, number in self.database["ledger"].items())
            yield "diparkir / now parked", f"{sum(self.database['parked'].values()):,}"
            yield from (
                (f"  {reason}", f"{number:,}") for reason, number in self.database["parked"].items()
            )
            yield "OPD, basi / stale", f"{self.database['opd']}, {self.database['stale']}"
            yield "registry", str(self.database["registry"])


def look(settings: Settings) -> Health:
    """Look at everything. Raises ConfigurationError when no server is known at all."""
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
        found = published if published is not None else "none"
        health.troubles.append(
            f"registry {health.database['registry']} is not published: Redis has {found}"
        )
    return health


def _processes(health: Health) -> None:
    found = (
        {"up": health.stack.get("pid"), **health.stack.get("processes", {})} if health.stack else {}
    )
    health.processes = {name: isinstance(pid, int) and _runs(pid) for name, pid in found.items()}
    health.troubles += [
        f"{name} does not run" for name, runs in health.processes.items() if not runs
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
    url = f"{health.stack.get('url') or f'http://127.0.0.1:{settings.port}'}/readyz"
    try:
        health.service = _answer(url)
    except (OSError, ValueError) as error:
        if health.stack:  # elsewhere the service may well be on another machine
            health.troubles.append(f"{url}: {error}")
        return
    if not health.service.get("ready", True):
        health.troubles.append(f"{url}: not ready: {health.service.get('reason')}")


def _answer(url: str) -> Mapping[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (ours, http)
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            found = json.load(error)
    if not isinstance(found, dict):
        raise ValueError("not an answer of this service")  # noqa: TRY004 - as text that is no JSON at all
    return found


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
        one
        for one in rolling.read_states(connection)
        if one.version > one.refreshed or (one.as_of or date.min) < today
    }


def _stuck(engine: sa.Engine, zone: ZoneInfo) -> Sequence[OpdState]:
    """OPDs that stay stale and whose rows do not move: being stale for a moment is how things are."""
    stuck: dict[tuple[str, int, date | None], OpdState] | None = None
    deadline = time.monotonic() + STALE_S
    while True:
        with engine.connect() as connection:
            found = {(one.opd, one.refreshed, one.as_of): one for one in _stale(connection, zone)}
        stuck = found if stuck is None else {key: one for key, one in stuck.items() if key in found}
        if not stuck or time.monotonic() > deadline:
            return list(stuck.values())
        time.sleep(0.2)

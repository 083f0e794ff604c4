"""What ingest knows of its store, renewed twice a second: may a request be accepted now, and if not, why.

The same look brings the registry: a new key or OPD counts within a second, a revoked key is gone
within a second, and when the store cannot be asked nothing is accepted anyway.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfoNotFoundError

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from shared.clock import Clock
from shared.inbox.writer import Writer
from shared.problems import Problem, problem
from shared.registry import publication
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.wire import SubmissionDecoder

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
REGISTRY_MAX_AGE_S = 5.0  # a snapshot that could not be confirmed for so long accepts nothing

STARTING = problem("starting", "the registry has not been read yet")
STALE = problem("inbox-unavailable", "the registry could not be confirmed")
UNAVAILABLE = problem(
    "inbox-unavailable", "nothing was stored: send the same submission again later"
)
FULL = problem(
    "inbox-full", "too many submissions wait to be counted: send the same submission again later"
)


@dataclass(frozen=True, slots=True)
class Durability:
    """What a 202 promises: "disk" (survives a power cut), "second" (may lose the last second), "memory", "unknown"."""

    promise: str = "unknown"
    appendonly: str = "unknown"
    appendfsync: str = "unknown"
    policy: str = "unknown"
    rewriting: str = "unknown"  # "yes": no fsync while the append-only file is being rewritten

    @classmethod
    def of(cls, config: dict[str, str]) -> "Durability":
        """Judge Redis' own configuration."""
        appendonly, fsync = (
            config.get("appendonly", "unknown"),
            config.get("appendfsync", "unknown"),
        )
        policy = config.get("maxmemory-policy", "unknown")
        rewriting = config.get("no-appendfsync-on-rewrite", "unknown")
        if appendonly == "no":
            promise = "memory"
        else:
            promise = {"always": "disk", "everysec": "second", "no": "memory"}.get(fsync, "unknown")
        if rewriting == "yes":
            promise = "memory"  # for as long as a rewrite takes, nothing is forced to the disk
        if policy not in {"noeviction", "unknown"}:
            promise = "memory"  # Redis may throw the inbox away when it needs room
        return cls(promise, appendonly, fsync, policy, rewriting)


class Watch:
    """The present state of the store and the registry. `refusal` is None while submissions can be accepted."""

    def __init__(self, settings: Settings, redis: Redis, writer: Writer, clock: Clock) -> None:
        self.refusal: Problem | None = STARTING
        self.registry = Registry.empty()
        self.decoder = SubmissionDecoder(self.registry)
        self.durability = Durability()
        self.accepted = 0
        self.settled = 0
        self.memory_share = 0.0
        self.today = date.min
        self._settings = settings
        self._redis = redis
        self._writer = writer
        self._clock = clock
        self._seen = 0.0  # monotonic time of the last complete look
        self._config_due = 0.0

    @property
    def waiting(self) -> int:
        """Submissions in the inbox, as far as known."""
        return self.accepted - self.settled

    def stored(self, accepted: int, settled: int) -> None:
        """An append succeeded and told the running totals."""
        self.accepted, self.settled = accepted, settled
        if self.waiting >= self._settings.inbox_limit:
            self.refusal = FULL

    def failed(self) -> None:
        """An append failed: refuse at once until the store answers again."""
        self.refusal = UNAVAILABLE

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL_S)

    async def look(self) -> None:
        """Ask the store once."""
        try:
            async with asyncio.timeout(self._settings.accept_timeout):
                await self._ask()
        except (RedisError, OSError, TimeoutError) as error:
            if self.refusal is None:
                log.warning(
                    "store out of reach", extra={"error": f"{type(error).__name__}: {error}"}
                )
            self.refusal = UNAVAILABLE if self.registry.version else STARTING
            self._config_due = 0.0  # it may come back as another
        except (
            ValueError,
            ZoneInfoNotFoundError,
        ) as error:  # a snapshot of another version of this program
            log.error("registry unreadable", extra={"error": str(error)})  # noqa: TRY400 - the message says it all
            self._judge()
        else:
            self._seen = time.monotonic()
            self._judge()

    async def _ask(self) -> None:
        self.accepted, self.settled = await self._writer.totals()
        memory = await self._redis.info("memory")
        limit = int(memory.get("maxmemory", 0))
        self.memory_share = int(memory["used_memory"]) / limit if limit else 0.0
        await self._probe()
        await self._follow()
        if time.monotonic() >= self._config_due:
            await self._configuration()

    async def _probe(self) -> None:
        """Write something: a Redis that is full, read-only or failing on its disk still answers reads."""
        await self._redis.set(f"{self._settings.redis_prefix}probe", b"1", px=60_000)

    async def _follow(self) -> None:
        found = await publication.fetch(
            self._redis, self._settings.redis_prefix, self.registry.version
        )
        if found is not None:
            self.today = self._day(found)
            self.registry, self.decoder = found, SubmissionDecoder(found)
            log.info(
                "registry",
                extra={"version": found.version, "opd": len(found.opd), "keys": len(found.keys)},
            )
        self.today = self._day(self.registry)

    def _day(self, registry: Registry) -> date:
        return self._clock().astimezone(registry.instansi.zone).date()

    async def _configuration(self) -> None:
        try:
            config = {
                **await self._redis.config_get("*append*"),
                **await self._redis.config_get("maxmemory-policy"),
            }
        except ResponseError:  # managed servers forbid CONFIG
            config = {}
        found = Durability.of({_text(key): _text(value) for key, value in config.items()})
        if found != self.durability:
            self.durability = found
            level = logging.INFO if found.promise == "disk" else logging.WARNING
            log.log(
                level,
                "what a 202 promises",
                extra={"promise": found.promise, "appendfsync": found.appendfsync},
            )
        self._config_due = time.monotonic() + 10

    def _judge(self) -> None:
        if self.registry.version == 0:
            self.refusal = STARTING
        elif time.monotonic() - self._seen > REGISTRY_MAX_AGE_S:
            self.refusal = STALE
        elif (
            self.waiting >= self._settings.inbox_limit
            or self.memory_share >= self._settings.inbox_memory
        ):
            self.refusal = FULL
        else:
            self.refusal = None


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""

"""What ingest knows of its store, renewed twice a second: are requests accepted, and if not, why.

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
from shared.domain.submission.identity import ReceiptMaker
from shared.inbox.writer import Writer
from shared.problems import Problem, problem
from shared.registry import publication, released_board
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.store import StoreServer
from shared.wire import SubmissionDecoder

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
BOARD_EVERY_S = 2.0
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
    """What a 202 promises, and the settings of Redis from which that follows.

    `promise`: "disk" (survives a power cut), "second" (may lose the last second), "memory" or
    "unknown".
    """

    promise: str = "unknown"
    appendonly: str = "unknown"
    appendfsync: str = "unknown"
    policy: str = "unknown"
    rewriting: str = "unknown"  # "yes": no fsync while the append-only file is being rewritten

    @classmethod
    def of(cls, config: dict[str, str]) -> "Durability":
        """Judge the configuration that Redis tells of itself."""
        appendonly = config.get("appendonly", "unknown")
        fsync = config.get("appendfsync", "unknown")
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
    """The present state of the store and the registry.

    `refusal` is None while submissions can be accepted.
    """

    def __init__(self, settings: Settings, redis: Redis, writer: Writer, clock: Clock) -> None:
        self.refusal: Problem | None = STARTING
        self.registry = Registry.empty()
        self.decoder = SubmissionDecoder(self.registry)
        self.durability = Durability()
        self.server: StoreServer | None = None  # what answered last
        self.accepted = 0
        self.settled = 0
        self.memory_share = 0.0
        self.today = date.min
        self.board: released_board.Board = {}
        self._settings = settings
        self._redis = redis
        self._writer = writer
        self._clock = clock
        self._receipt_maker: ReceiptMaker | None = None
        self._confirmed_s = 0.0  # when the last look was complete, on the monotonic clock
        self._configuration_due_s = 0.0
        self._board_due_s = 0.0

    def receipt_maker(self) -> ReceiptMaker:
        """Return what makes receipts; there is one as soon as there is a registry."""
        if self._receipt_maker is None:
            raise LookupError("no registry, no receipts")
        return self._receipt_maker

    @property
    def waiting(self) -> int:
        """How many submissions the inbox holds, as far as known."""
        return self.accepted - self.settled

    def stored(self, accepted: int, settled: int) -> None:
        """Note the running totals that a successful append told."""
        self.accepted, self.settled = accepted, settled
        if self.waiting >= self._settings.inbox_limit:
            self.refusal = FULL

    def failed(self) -> None:
        """Refuse at once, after an append that failed, until the store answers again."""
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
            self._configuration_due_s = 0.0  # it may come back as another
        except (ValueError, ZoneInfoNotFoundError) as error:
            # A snapshot of another version of this program: the message says it all.
            log.error("registry unreadable", extra={"error": str(error)})  # noqa: TRY400 - as said
            self._judge()
        else:
            self._confirmed_s = time.monotonic()
            self._judge()

    async def _ask(self) -> None:
        self.accepted, self.settled = await self._writer.totals()
        memory = await self._redis.info("memory")
        limit = int(memory.get("maxmemory", 0))
        self.memory_share = int(memory["used_memory"]) / limit if limit else 0.0
        await self._probe()
        await self._read_registry()
        if time.monotonic() >= self._board_due_s:
            self._board_due_s = time.monotonic() + BOARD_EVERY_S
            self.board = await released_board.fetch(self._redis, self._settings.redis_prefix)
        if time.monotonic() >= self._configuration_due_s:
            await self._read_server()
            await self._read_configuration()

    async def _probe(self) -> None:
        """Write something: a Redis that is full, read-only or out of disk still answers reads."""
        await self._redis.set(f"{self._settings.redis_prefix}probe", b"1", px=60_000)

    async def _read_registry(self) -> None:
        registry = await publication.fetch(
            self._redis, self._settings.redis_prefix, self.registry.version
        )
        self.today = self._day(registry or self.registry)  # raises for a zone unknown here
        if registry is not None:
            # Raises for a snapshot without the secret, of an earlier version of this program.
            self._receipt_maker = ReceiptMaker(registry.secret)
            self.registry, self.decoder = registry, SubmissionDecoder(registry)
            counts = {"opd": len(registry.opd), "keys": len(registry.keys)}
            log.info("registry", extra={"version": registry.version, **counts})

    def _day(self, registry: Registry) -> date:
        return self._clock().astimezone(registry.instansi.zone).date()

    async def _read_server(self) -> None:
        server = StoreServer.of_info(await self._redis.info("server"))
        if server != self.server:
            self.server = server
            level = logging.WARNING if server.is_outdated else logging.INFO
            told = {"server": str(server), "outdated": server.is_outdated}
            log.log(level, "what the store is", extra=told)

    async def _read_configuration(self) -> None:
        try:
            config = {
                **await self._redis.config_get("*append*"),
                **await self._redis.config_get("maxmemory-policy"),
            }
        except ResponseError:  # managed servers forbid CONFIG
            config = {}
        durability = Durability.of({_text(name): _text(value) for name, value in config.items()})
        if durability != self.durability:
            self.durability = durability
            level = logging.INFO if durability.promise == "disk" else logging.WARNING
            promise = {"promise": durability.promise, "appendfsync": durability.appendfsync}
            log.log(level, "what a 202 promises", extra=promise)
        self._configuration_due_s = time.monotonic() + 10

    def _judge(self) -> None:
        if self.registry.version == 0:
            self.refusal = STARTING
        elif time.monotonic() - self._confirmed_s > REGISTRY_MAX_AGE_S:
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

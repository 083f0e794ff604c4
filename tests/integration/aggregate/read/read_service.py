"""The read API on a real PostgreSQL, with a clock that a test sets."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import sqlalchemy as sa

from services.aggregate.read.app import ReadApi
from services.aggregate.rolling.refresh import Cache, refresh
from shared.settings import Settings
from shared.storage import tables
from shared.storage.engine import opened, transaction
from shared.storage.registry import access_keys, stored_registry
from shared.storage.rights.roles import READ
from tests.builders import READ_KEY, as_role, authorization, stopped_clock
from tests.integration.access import stored_key
from tests.integration.aggregate import tally_seed as seed

TODAY = date(2026, 11, 3)
NOON = datetime(2026, 11, 3, 5, tzinfo=UTC)  # 12:00 in Jakarta
OPDS: dict[str, dict[str, int | None]] = {
    "dinkes": {"farmasi": 1000, "imunisasi": 500},
    "dukcapil": {"ktp-el": 12000},
}


@dataclass
class City:
    """A database with a registry, and one process that refreshes it."""

    url: str
    engine: sa.Engine
    now: datetime = NOON
    cache: Cache = field(default_factory=Cache)

    def clock(self) -> datetime:
        return self.now

    def count(self, opd: str, layanan: str, *responses: str, day: date = TODAY) -> None:
        seed.counted(self.engine, opd, layanan, day, *responses, today=TODAY)

    def refresh(self) -> int:
        with self.engine.connect() as connection:
            registry = stored_registry.load(connection)
        return refresh(self.engine, registry, stopped_clock(self.now), self.cache)

    def settings(self) -> Settings:
        return Settings.load(
            database_url="postgresql://the-read-api-needs-only-its-own-role",
            read_database_url=as_role(self.url, READ),
            home=Path("/nonexistent"),
            log_format="text",
        )

    @contextmanager
    def served(self) -> Iterator["Read"]:
        """A running read API that has loaded its figures, asked with the key that reads all."""
        read = Read(ReadApi(self.settings(), self.clock), READ_KEY)
        read.app.service.start()
        try:
            eventually(lambda: read.get("/readyz").status_code == 200)
            yield read
        finally:
            read.app.service.stop()


@dataclass(frozen=True)
class Read:
    """Requests to a read API."""

    app: ReadApi
    key: str | None = None
    address: str = "127.0.0.1"

    def with_key(self, key: str | None) -> "Read":
        """The same, asked with another key, or without one."""
        return replace(self, key=key)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.ask("GET", path, headers)

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        sent = {} if self.key is None else authorization(self.key)

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(
                self.app, raise_app_exceptions=False, client=(self.address, 1)
            )
            async with httpx.AsyncClient(transport=transport, base_url="http://read") as client:
                return await client.request(
                    method, path, headers={**sent, **(headers or {})}, content=content
                )

        return asyncio.run(asked())


@contextmanager
def city(database_url: str, **instansi: str) -> Iterator[City]:
    with opened(database_url) as engine:
        with transaction(engine) as connection:
            seed.registry(connection, OPDS, **instansi)
            connection.execute(
                sa.insert(tables.opd_state), [{"opd": opd, "version": 1} for opd in OPDS]
            )  # as `apply` does
            access_keys.store(
                connection, READ_KEY, stored_key("k1", "dasbor", NOON, submits=False, reads=True)
            )
        yield City(database_url, engine)


def eventually(condition: Callable[[], bool], timeout: float = 10) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.01)

"""The product as the benchmarks use it: database, registry, key, its commands as processes."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from benchmarks.load.connection import Address
from benchmarks.load.sample import CHANNEL
from benchmarks.running.programs import ROOT, Program, free_port, program
from benchmarks.running.stores import Stores
from services.ops.client import NOT_NOW, Client
from shared.connections import worker_redis
from shared.inbox.keys import Depth
from shared.inbox.reader import Reader
from shared.settings import Settings, variable_of

CLI = "services.ops.cli"
REGISTRY = ROOT / "benchmarks" / "registry.yaml"
INBOX_LIMIT = 100_000_000  # nobody counts while accepting is measured


@dataclass(frozen=True, slots=True)
class Server:
    """An HTTP server under measurement."""

    address: Address
    program: Program


@dataclass(frozen=True, slots=True)
class Product:
    """One database and one Redis with everything in them that the product's processes need."""

    stores: Stores
    database: str
    settings: Settings
    key: str = field(repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """What the product's processes read these settings from."""
        return environment_of(self.settings)

    @property
    def read_headers(self) -> dict[str, str]:
        """The headers of whoever reads live figures."""
        return {"authorization": f"Bearer {self.key}"}

    @property
    def post_headers(self) -> dict[str, str]:
        """The headers of one submission."""
        return {"content-type": "application/json", "authorization": f"Bearer {self.key}"}

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection to the database, each statement its own transaction."""
        return self.stores.postgres.connect(self.database)

    def reader(self) -> Reader:
        """A consumer of the inbox."""
        return Reader(
            worker_redis(self.settings.redis_url), self.settings.redis_prefix, "benchmark"
        )

    def depth(self) -> Depth:
        """How full the inbox is."""
        return self.reader().depth()

    def empty_inbox(self) -> None:
        """Settle everything that waits, uncounted."""
        reader = self.reader()
        reader.prepare()
        while entries := reader.claim(100_000):
            reader.settle(entries)

    @contextmanager
    def served(self, what: str, cores: frozenset[int]) -> Iterator[Server]:
        """`ikm serve WHAT` on `cores`, ready."""
        with http(
            f"serve-{what}", [CLI, "serve", what, "--port"], self.stores, cores, self.environment
        ) as server:
            yield server

    @contextmanager
    def worker(self, what: str, cores: frozenset[int], name: str = "") -> Iterator[Program]:
        """`ikm worker WHAT` on `cores`, ready for its first message."""
        name = f"worker-{what}{name}"
        with program(
            name, [CLI, "worker", what], self.stores.folder, cores, self.environment
        ) as running:
            running.wait_until(lambda: b"ready." in running.log.read_bytes())
            yield running


def prepare(stores: Stores, database: str = "ikm_bench") -> Product:
    """Migrate a new database, apply the registry, make a key."""
    settings = Settings.load(
        home=stores.folder,
        database_url=stores.new_database(database),
        redis_url=stores.redis.url,
        redis_prefix=f"{database}:",
        inbox_limit=INBOX_LIMIT,
    )
    environment = environment_of(settings)
    ikm(environment, "migrate")
    ikm(environment, "apply", str(REGISTRY))
    key = ikm(environment, "key", "create", CHANNEL, "--submit", "--read").splitlines()[-1]
    return Product(stores, database, settings, key)


def environment_of(settings: Settings) -> Mapping[str, str]:
    """Return the variables that say what these settings were told."""
    return {variable_of(name): str(getattr(settings, name)) for name in settings.model_fields_set}


def ikm(environment: Mapping[str, str], *arguments: str) -> str:
    """Return what an `ikm` command prints."""
    done = subprocess.run(
        [sys.executable, "-m", CLI, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"ikm {' '.join(arguments)} failed ({done.returncode}):\n{done.stderr or done.stdout}"
        )
    return done.stdout


@contextmanager
def application(
    name: str,
    factory: str,
    stores: Stores,
    cores: frozenset[int],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Another ASGI application on the product's server settings."""
    with http(name, ["benchmarks.running.serve", factory], stores, cores, environment) as server:
        yield server


@contextmanager
def http(
    name: str,
    command: list[str],
    stores: Stores,
    cores: frozenset[int],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run an HTTP server whose last argument is its port, once it is ready."""
    address = Address("127.0.0.1", free_port())
    with program(name, [*command, str(address.port)], stores.folder, cores, environment) as running:
        with Client(address.url) as client:
            running.wait_until(lambda: client.get("/readyz").status not in NOT_NOW)
        yield Server(address, running)

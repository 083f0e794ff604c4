"""The embedded stack of one IKM_HOME: its servers and processes, and what it says about itself."""

import functools
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from services.ops.client import Client
from services.ops.errors import CannotStart
from services.ops.stack.child import Child, Program
from services.ops.stack.files import begin_anew, end_of, private_file
from services.ops.stack.folders import private_folder, runtime_folder
from services.ops.stack.listener import address_of, phone_address_of
from services.ops.stack.server import Server
from services.ops.stack.servers import DATABASE, Postgres, Redis
from services.ops.stack.supervisor import Member, Supervisor, how_it_ended
from shared.settings import STACK_FILE, Settings
from shared.storage.rights.roles import MIGRATE, READ, WORK

Say = Callable[[str], None]

# name -> (arguments of `ikm`, seconds to stop in). Started in this order, each under watch.
PROCESSES: dict[str, tuple[tuple[str, ...], float]] = {
    "web": (("serve", "all"), 10),
    "worker-inbox": (("worker", "inbox"), 20),
    "worker-refresh": (("worker", "refresh"), 20),
    "worker-imports": (("worker", "imports"), 20),
    "beat": (("beat",), 5),
}
_SERVER_STOP_S = 30
_READY_TIMEOUT_S = 90
# a registry that PostgreSQL has reaches ingest within a second or two (the sweep publishes it)
_REGISTRY_TIMEOUT_S = 3
_MOST_FAILURES = 3  # of one process before the first readiness: then the reason is in its log
_LOG_LIMIT = 20 * 1024 * 1024
_TURNS_PER_LOG_CHECK = 300  # about once a minute


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stack's parts are reached."""

    web: str
    database: str
    redis: str
    read_database: str = ""  # empty: as `database`
    migrate_database: str = ""


class Stack:
    """Everything that `ikm up` runs.

    Use it from one thread: Linux ends children with the thread that started them.
    """

    def __init__(self, home: Path, settings: Settings, listener: socket.socket, say: Say) -> None:
        self.home = home
        self.logs = home / "logs"
        self._listener = listener
        self._say = say
        self._supervisor = Supervisor(say, self._write)
        self.addresses = Addresses(
            address_of(listener),
            settings.database_url,
            settings.redis_url,
            settings.read_database_url,
            settings.migrate_database_url,
        )
        self.phone_address = phone_address_of(listener)  # None: nobody else reaches it
        self.client = Client(self.addresses.web)

    @property
    def port(self) -> int:
        """The port that the service listens on."""
        return int(self._listener.getsockname()[1])

    def start_servers(self) -> None:
        """Start PostgreSQL and Redis, except those whose address was given."""
        private_folder(self.logs)
        sockets = runtime_folder(self.home)
        if not self.addresses.database:
            postgres = Postgres(self.home / "postgres", sockets, self._log("postgres"))
            self._start_server("postgres", postgres)
            postgres.create_database()
            self.addresses = replace(
                self.addresses,
                database=postgres.database_url(DATABASE, WORK),
                read_database=postgres.database_url(DATABASE, READ),
                migrate_database=postgres.database_url(DATABASE, MIGRATE),
            )
        if not self.addresses.redis:
            server = Redis(self.home / "redis", sockets, self._log("redis"))
            self._start_server("redis", server)
            self.addresses = replace(self.addresses, redis=server.url)
        self._write()

    def start_processes(self) -> None:
        """Start the service itself."""
        for name, (arguments, stop_timeout_s) in PROCESSES.items():
            descriptors = (self._listener.fileno(),) if name == "web" else ()
            inherited = [text for number in descriptors for text in ("--fd", str(number))]
            command = [*_ikm(), *arguments, *inherited]
            child = Child(Program(name, command, self._log(name), environment=self.environment()))
            self._supervisor.add(
                Member(name, child, functools.partial(child.start, *descriptors), stop_timeout_s)
            )

    def wait_ready(self) -> bool:
        """Wait until the service is ready. False: it runs, and waits for its first registry.

        CannotStart when a process keeps ending before that, or when it takes too long.
        """
        started = time.monotonic()
        empty_since = started
        while True:
            self._supervisor.check()
            self._demand_progress()
            time.sleep(0.1)
            readiness, now = self.client.readiness(), time.monotonic()
            if readiness.ready:
                return True
            empty_since = empty_since if readiness.has_no_registry else now
            if now - empty_since >= _REGISTRY_TIMEOUT_S:
                return False
            if now - started >= _READY_TIMEOUT_S:
                raise CannotStart(
                    f"not ready after {_READY_TIMEOUT_S} s: /readyz: {readiness.text}; "
                    f"see {self.logs}"
                )

    def _demand_progress(self) -> None:
        for member in self._supervisor.members:
            if member.failures >= _MOST_FAILURES:
                log = member.child.program.log
                raise CannotStart(f"{member.name}: {how_it_ended(member.child)}; {end_of(log)}")

    def watch(self) -> None:
        """Keep everything running until the process is asked to end (KeyboardInterrupt)."""
        for turn in itertools.count():
            self._supervisor.check()
            if turn % _TURNS_PER_LOG_CHECK == 0:
                self._shorten_logs()
            time.sleep(0.2)

    def command(self, *arguments: str) -> str:
        """Run an `ikm` command against this stack; return its output, or raise what it said."""
        environment = {**os.environ, **self.environment()}
        done = subprocess.run(  # noqa: S603  (our own command)
            [*_ikm(), *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise CannotStart(f"`ikm {arguments[0]}` failed (exit code {done.returncode}): {said}")
        return done.stdout

    def stop(self) -> None:
        """Stop everything in order; a second interrupt kills what is left."""
        self._listener.close()
        self.client.close()
        try:
            self._supervisor.stop()
        except KeyboardInterrupt:
            self._supervisor.kill()
        (self.home / STACK_FILE).unlink(missing_ok=True)
        with suppress(OSError):  # not empty after a kill: then the next start finds it as it is
            runtime_folder(self.home).rmdir()

    def environment(self) -> dict[str, str]:
        """Return what the stack's processes find in their environment."""
        return {
            "IKM_HOME": str(self.home),
            "IKM_PORT": str(self.port),
            "IKM_DATABASE_URL": self.addresses.database,
            "IKM_READ_DATABASE_URL": self.addresses.read_database,
            "IKM_MIGRATE_DATABASE_URL": self.addresses.migrate_database,
            "IKM_REDIS_URL": self.addresses.redis,
        }

    def _start_server(self, name: str, server: Server) -> None:
        server.await_predecessor()
        # When it is started again, the loop must not wait long: the supervisor comes back to it.
        self._supervisor.add(Member(name, server.child, lambda: server.launch(1), _SERVER_STOP_S))
        server.wait_ready()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _shorten_logs(self) -> None:
        """Move long logs aside, one generation; the processes go on at the new beginning."""
        for path in self.logs.glob("*.log"):
            with suppress(OSError):  # a full disk, or a file that we never made
                begin_anew(path, _LOG_LIMIT)

    def _write(self) -> None:
        """Tell other commands about this stack (shared/settings.py reads it)."""
        document = {
            "pid": os.getpid(),
            "url": self.addresses.web,
            "port": self.port,
            "database_url": self.addresses.database,
            "read_database_url": self.addresses.read_database,
            "migrate_database_url": self.addresses.migrate_database,
            "redis_url": self.addresses.redis,
            "processes": self._supervisor.pids(),
        }
        path = self.home / STACK_FILE
        try:
            private_file(path, json.dumps(document, indent=2))
        except OSError as error:  # a full disk must not end what still runs
            self._say(f"{path}: {error.strerror}")


def _ikm() -> list[str]:
    return [sys.executable, "-m", "services.ops.cli"]

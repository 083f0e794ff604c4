"""A PostgreSQL and a Redis as the product runs them: every commit and every append fsynced."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.running.processes import pinned, tree
from services.ops.account.account import dedicated_account, give
from services.ops.stack.servers import Postgres, Redis


@dataclass(frozen=True, slots=True)
class Stores:
    """Both servers, running."""

    folder: Path
    postgres: Postgres
    redis: Redis

    def pids(self) -> dict[str, list[int]]:
        """Return the processes of each."""
        children = {"PostgreSQL": self.postgres.child.pid, "Redis": self.redis.child.pid}
        return {name: tree(pid) for name, pid in children.items() if pid is not None}

    def new_database(self, name: str) -> str:
        """Make a new, empty database, dropping one of that name; return its address."""
        with self.postgres.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        return self.postgres.database_url(name)


@contextmanager
def stores(folder: Path, cores: frozenset[int]) -> Iterator[Stores]:
    """Run both servers on `cores`, their data in `folder`."""
    account = dedicated_account()
    give(folder, account)
    with tempfile.TemporaryDirectory(
        prefix="ikm-b-", dir="/tmp", ignore_cleanup_errors=True
    ) as short:
        sockets = Path(short)
        give(sockets, account)
        postgres = Postgres(folder / "postgres", sockets / "s", folder / "postgres.log", account)
        redis = Redis(folder / "redis", sockets / "s", folder / "redis.log", account)
        try:
            with pinned(cores):
                postgres.start()
                redis.start()
            yield Stores(folder, postgres, redis)
        finally:
            redis.stop()
            postgres.stop()

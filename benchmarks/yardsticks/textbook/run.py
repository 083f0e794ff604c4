"""The textbook design as a contender: its tables, its HTTP server, its worker."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import create_engine

from benchmarks.running.product import Server, application
from benchmarks.running.programs import Program, program
from benchmarks.running.stores import Stores
from benchmarks.yardsticks.textbook.models import Base
from shared.broker import broker_url


@dataclass(frozen=True, slots=True)
class Textbook:
    """One database with the textbook's tables, one Redis database as its broker."""

    stores: Stores
    environment: Mapping[str, str]
    broker: str

    @contextmanager
    def served(self, cores: frozenset[int]) -> Iterator[Server]:
        """Its HTTP server."""
        factory = "benchmarks.yardsticks.textbook.app:create_app"
        with application("textbook", factory, self.stores, cores, self.environment) as server:
            yield server

    @contextmanager
    def worker(self, cores: frozenset[int]) -> Iterator[Program]:
        """Its worker: one Celery process of concurrency 1."""
        command = [
            "celery",
            "-A",
            "benchmarks.yardsticks.textbook.tasks",
            "worker",
            "-c",
            "1",
            "-l",
            "INFO",
            "--without-mingle",
        ]
        with program(
            "textbook-worker", command, self.stores.folder, cores, self.environment
        ) as running:
            running.wait_until(lambda: b"ready." in running.log.read_bytes())
            yield running

    def send(self, bodies: Sequence[bytes]) -> None:
        """Send one task per submission, as its endpoint does."""
        os.environ.update(self.environment)  # what its modules read when they are imported
        from benchmarks.yardsticks.textbook.tasks import count  # noqa: PLC0415

        for body in bodies:
            count.delay(json.loads(body))

    def counted(self) -> int:
        """How many responses are in the running totals."""
        with self.stores.postgres.connect("textbook") as connection:
            row = connection.execute(
                "SELECT coalesce(sum(respondents), 0)::int FROM textbook_total"
            ).fetchone()
        assert row is not None
        return int(str(row[0]))

    def forget_tasks(self) -> None:
        """Drop the tasks that nobody is going to work on."""
        with Redis.from_url(self.broker) as redis:
            redis.flushdb()


def prepare(stores: Stores) -> Textbook:
    """Make the textbook's tables in a database of its own."""
    database = stores.new_database("textbook")
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    engine.dispose()
    broker = f"{stores.redis.url}?db=1"
    environment = {"TEXTBOOK_DATABASE_URL": database, "TEXTBOOK_BROKER_URL": broker_url(broker)}
    return Textbook(stores, environment, broker)

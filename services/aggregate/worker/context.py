"""What a worker process holds open, and what it remembers between two tasks."""

import os
import socket
from functools import cached_property
from uuid import uuid4

import sqlalchemy as sa
from celery import Celery
from redis import Redis

from services.aggregate.counting.judge import Judge, PresentJudge
from services.aggregate.rolling.refresh import Cache
from shared.connections import worker_redis
from shared.inbox.reader import Reader
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.storage.engine import create_engine


class WorkerContext:
    """What a process opens on first use, for itself: nothing of it survives a fork."""

    def __init__(self, settings: Settings, celery: Celery) -> None:
        self.settings = settings
        self.celery = celery
        self.cache = Cache()
        self.refreshed_s = 0.0  # monotonic time of the last refresh
        self.tidied_s = 0.0
        self.board_s = 0.0  # monotonic time of the last look at what is released
        self.leftovers_due_s = 0.0  # monotonic time of the next look for what is unsettled
        self.judge_in = PresentJudge()

    @cached_property
    def engine(self) -> sa.Engine:
        """Open PostgreSQL."""
        return create_engine(self.settings.need_database())

    @cached_property
    def redis(self) -> Redis:
        """Open Redis."""
        return worker_redis(self.settings.need_redis())

    @cached_property
    def inbox(self) -> Reader:
        """Open the inbox, under a consumer name that no other process has."""
        consumer = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        reader = Reader(self.redis, self.settings.redis_prefix, consumer)
        reader.prepare()
        return reader

    def judge(self) -> Judge:
        """Return the judge of the present registry."""
        with self.engine.connect() as connection:
            return self.judge_in(connection)

    def registry(self) -> Registry:
        """Return the present registry."""
        return self.judge().registry

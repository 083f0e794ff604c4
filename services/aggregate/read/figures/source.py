"""What a read is answered from: the snapshot in memory, the day tallies in PostgreSQL, the day."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from services.aggregate.read.snapshot import Snapshot
from shared.registry.snapshot import Registry
from shared.storage.engine import limit_statement_time, transaction

QUERY_TIMEOUT_MS = 5000


@dataclass(frozen=True, slots=True)
class FigureSource:
    """The source of one answer: all of it comes from one snapshot, on one local day."""

    engine: sa.Engine
    snapshot: Snapshot
    today: date

    @property
    def registry(self) -> Registry:
        """The registry that the answer is given by."""
        return self.snapshot.registry

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a short transaction."""
        with transaction(self.engine) as connection:
            limit_statement_time(connection, QUERY_TIMEOUT_MS)
            yield connection

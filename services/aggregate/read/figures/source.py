"""What a read is answered from: the snapshot in memory, the tables in PostgreSQL, the day."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from services.aggregate.read.snapshot import Snapshot
from services.aggregate.read.view import View, view_of
from shared.domain.window import Window
from shared.registry.snapshot import AccessKey, Registry
from shared.storage.engine import limit_statement_time, transaction

QUERY_TIMEOUT_MS = 5000


@dataclass(frozen=True, slots=True)
class FigureSource:
    """The source of one answer: all of it comes from one snapshot, on one local day.

    `key` is that of whoever asks, None without one.
    """

    engine: sa.Engine
    snapshot: Snapshot
    today: date
    key: AccessKey | None

    @property
    def registry(self) -> Registry:
        """The registry that the answer is given by."""
        return self.snapshot.registry

    def view(self, opd: str | None = None) -> View:
        """Return the view that is answered on an OPD, or on the instansi and all its OPDs."""
        return view_of(self.key, opd)

    def last_day(self, window: Window) -> date:
        """Return the last day of a window that is not in the future: users are counted as of it."""
        return self.today if window.last is None else min(window.last, self.today)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a short transaction."""
        with transaction(self.engine) as connection:
            limit_statement_time(connection, QUERY_TIMEOUT_MS)
            yield connection

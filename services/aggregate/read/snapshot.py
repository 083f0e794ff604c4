"""What the read API knows in memory: the registry, the rolling rows, and the answers made of them.

A Snapshot is never changed by the follower, only replaced: whoever took one sees registry, rows and
answers that belong together. Its answers are filled by requests and emptied at local midnight, so
what was "today" yesterday is never served as today.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from time import monotonic

from services.aggregate.read.answer import PreparedAnswer
from shared.domain.window import Window, local_day
from shared.registry.snapshot import Registry
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, RollingRow

RequestKey = tuple[str, bytes]  # path and query string
Rows = Mapping[
    str, Mapping[tuple[str, str], RollingRow]
]  # OPD (or INSTANSI) -> layanan and window -> row

SILENCE_MAX_S = 3.0  # the follower asks twice a second
_ANSWERS_MAX = 4096  # many spellings of one query must not fill the memory


class Snapshot:
    """One state of the registry and of the rolling table."""

    __slots__ = ("_answers", "_answers_end", "registry", "rows")

    def __init__(self, registry: Registry, rows: Rows) -> None:
        self.registry = registry
        self.rows = rows
        self._answers: dict[RequestKey, PreparedAnswer] = {}
        self._answers_end: datetime | None = None

    def answers(self, now: datetime) -> Mapping[RequestKey, PreparedAnswer]:
        """Return the answers that are made already and hold on the local day of `now`."""
        if self._answers_end is None or now >= self._answers_end:
            self._answers = {}
            self._answers_end = _next_midnight(self.today(now), self.registry)
        return self._answers

    def keep(self, key: RequestKey, answer: PreparedAnswer) -> None:
        """Keep an answer made of these rows on the local day that `answers` was last asked for."""
        if len(self._answers) < _ANSWERS_MAX:
            self._answers[key] = answer

    def today(self, now: datetime) -> date:
        """Return the local day of an instant."""
        return local_day(now, self.registry.instansi.zone)

    def row(self, opd: str, layanan: str, window: Window) -> RollingRow | None:
        """Return the row of a window, if it is rolled to just these days."""
        row = self.rows.get(opd, {}).get((layanan, window.name))
        if row is None or (row.first, row.last) != (window.first, window.last):
            return None
        return row

    def changed_at(self, opd: str, layanan: str) -> datetime | None:
        """Return when the last count changed anything of an OPD or layanan."""
        row = self.rows.get(opd, {}).get((layanan, "all"))
        return row.computed_at if row is not None else None

    def as_of(self) -> date | None:
        """Return the local day that the instansi's rows are rolled to."""
        row = self.rows.get(INSTANSI, {}).get((ALL_LAYANAN, "today"))
        return row.last if row is not None else None


class CurrentSnapshot:
    """The snapshot to answer from, None until one was loaded; and whether PostgreSQL was heard."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self._heard_s = -math.inf  # when PostgreSQL last answered, on the monotonic clock

    @property
    def connected(self) -> bool:
        """Whether PostgreSQL was heard just now; one that hangs is as good as one that is away."""
        return monotonic() - self._heard_s < SILENCE_MAX_S

    def heard(self) -> None:
        """Note that PostgreSQL answered."""
        self._heard_s = monotonic()

    def lost(self) -> None:
        """Note that PostgreSQL is away."""
        self._heard_s = -math.inf

    def replace(self, registry: Registry, rows: Iterable[RollingRow]) -> None:
        """Replace the registry and all rows."""
        self.snapshot = Snapshot(registry, _by_opd(rows))

    def update(self, opds: set[str], rows: Iterable[RollingRow]) -> None:
        """Replace the rows of some OPDs."""
        if self.snapshot is None:
            return
        unchanged = {
            opd: rows_of_opd for opd, rows_of_opd in self.snapshot.rows.items() if opd not in opds
        }
        self.snapshot = Snapshot(self.snapshot.registry, {**unchanged, **_by_opd(rows)})


def _by_opd(rows: Iterable[RollingRow]) -> dict[str, dict[tuple[str, str], RollingRow]]:
    by_opd: dict[str, dict[tuple[str, str], RollingRow]] = {}
    for row in rows:
        by_opd.setdefault(row.opd, {})[row.layanan, row.window] = row
    return by_opd


def _next_midnight(today: date, registry: Registry) -> datetime:
    return datetime.combine(today + timedelta(days=1), time.min, registry.instansi.zone)

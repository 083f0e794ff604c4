"""What the read API knows in memory: the registry, both views' rows, the answers made of them.

A Snapshot is never changed by the follower, only replaced: whoever took one sees registry, rows and
answers that belong together. The answers of a view are filled by requests, and emptied when its
rows change and at local midnight, so what was "today" yesterday is never served as today.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Generic, TypeVar

from services.aggregate.read.answer import AnswerKey, PreparedAnswer
from services.aggregate.read.view import INTERNAL, View
from shared.domain.window import Window, local_day
from shared.registry.snapshot import Registry
from shared.storage.released.rows import ReleasedRow
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, RollingRow

Row = TypeVar("Row", bound=RollingRow | ReleasedRow)
RowKey = tuple[str, str]  # layanan and window

SILENCE_MAX_S = 3.0  # the follower asks twice a second
ANSWERS_MAX_BYTES = 64 * 1024 * 1024  # of each view: 30,000 answers of 2 KB
_OVERHEAD_BYTES = 1024  # of an answer beside its body: headers, tag, key


class ViewRows(Generic[Row]):
    """The rows of one view, and the answers that were made of them on one local day."""

    def __init__(self, by_opd: Mapping[str, Mapping[RowKey, Row]]) -> None:
        self.by_opd = by_opd
        self._answers: dict[AnswerKey, PreparedAnswer] = {}
        self._answers_bytes = 0
        self._answers_day = date.min

    def row(self, opd: str, layanan: str, window: Window) -> Row | None:
        """Return the row of a window, if it is about just these days."""
        row = self.by_opd.get(opd, {}).get((layanan, window.name))
        if row is None or (row.first, row.last) != (window.first, window.last):
            return None
        return row

    def answers(self, today: date) -> Mapping[AnswerKey, PreparedAnswer]:
        """Return the answers that are made already and hold on a local day."""
        if today != self._answers_day:
            self._answers, self._answers_bytes, self._answers_day = {}, 0, today
        return self._answers

    def keep(self, key: AnswerKey, today: date, answer: PreparedAnswer) -> None:
        """Keep an answer made of these rows on a local day, unless the memory for them is full."""
        size_bytes = len(answer.body) + _OVERHEAD_BYTES
        if key in self.answers(today) or self._answers_bytes + size_bytes > ANSWERS_MAX_BYTES:
            return
        self._answers[key] = answer
        self._answers_bytes += size_bytes

    def with_changed(self, opds: set[str], rows: Iterable[Row]) -> "ViewRows[Row]":
        """Return the rows with those of some OPDs replaced; itself when nothing is different."""
        changed = _by_opd(rows)
        if all(changed.get(opd) == self.by_opd.get(opd) for opd in opds):
            return self
        unchanged = {opd: rows for opd, rows in self.by_opd.items() if opd not in opds}
        return ViewRows({**unchanged, **changed})


class Snapshot:
    """One state of the registry, of the rolling table and of the released one."""

    __slots__ = ("_today", "_tomorrow", "public", "registry", "rolling")

    def __init__(
        self, registry: Registry, rolling: ViewRows[RollingRow], public: ViewRows[ReleasedRow]
    ) -> None:
        self.registry = registry
        self.rolling = rolling
        self.public = public
        self._today = date.min
        self._tomorrow: datetime | None = None

    def rows_of(self, view: View) -> ViewRows[RollingRow] | ViewRows[ReleasedRow]:
        """Return the rows that a view is answered from."""
        return self.rolling if view == INTERNAL else self.public

    def today(self, now: datetime) -> date:
        """Return the local day of an instant; that of the last instant costs a comparison."""
        if self._tomorrow is None or now >= self._tomorrow:
            zone = self.registry.instansi.zone
            self._today = local_day(now, zone)
            tomorrow = datetime.combine(self._today + timedelta(days=1), time.min, zone)
            # Two instants of one zone are compared at once, those of others by their offsets.
            self._tomorrow = tomorrow.astimezone(UTC)
        return self._today

    def changed_at(self, opd: str, layanan: str) -> datetime | None:
        """Return when the last count changed anything of an OPD or layanan."""
        row = self.rolling.by_opd.get(opd, {}).get((layanan, "all"))
        return row.computed_at if row is not None else None

    def as_of(self) -> date | None:
        """Return the local day that the instansi's rows are rolled to."""
        row = self.rolling.by_opd.get(INSTANSI, {}).get((ALL_LAYANAN, "today"))
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

    def replace(
        self, registry: Registry, rolling: Iterable[RollingRow], released: Iterable[ReleasedRow]
    ) -> None:
        """Replace the registry and all rows."""
        self.snapshot = Snapshot(registry, ViewRows(_by_opd(rolling)), ViewRows(_by_opd(released)))

    def update(
        self, opds: set[str], rolling: Iterable[RollingRow], released: Iterable[ReleasedRow]
    ) -> None:
        """Replace the rows of some OPDs. Public answers stay while no public row is different."""
        if self.snapshot is None:
            return
        self.snapshot = Snapshot(
            self.snapshot.registry,
            self.snapshot.rolling.with_changed(opds, rolling),
            self.snapshot.public.with_changed(opds, released),
        )


def _by_opd(rows: Iterable[Row]) -> dict[str, dict[RowKey, Row]]:
    by_opd: dict[str, dict[RowKey, Row]] = {}
    for row in rows:
        by_opd.setdefault(row.opd, {})[row.layanan, row.window] = row
    return by_opd

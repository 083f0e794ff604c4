"""What the read API knows in memory: the registry, the rolling rows, and the answers made from them.

A Snapshot is never changed by the follower, only replaced: whoever took one sees registry, rows and
answers that belong together. Its answers are filled by requests and emptied at local midnight, so
what was "today" yesterday is never served as today.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from services.aggregate.read.answer import Answer
from shared.domain.window import Window, local_day
from shared.registry.snapshot import Registry
from shared.storage.rolling import INSTANSI, Row

Key = tuple[str, bytes]  # path and query string of a request
Rows = Mapping[str, Mapping[tuple[str, str], Row]]  # OPD (or INSTANSI) -> layanan and window -> row

_MOST_ANSWERS = 4096  # many spellings of one query must not fill the memory


class Snapshot:
    """One state of the registry and of the rolling table."""

    __slots__ = ("_answers", "_until", "registry", "rows")

    def __init__(self, registry: Registry, rows: Rows) -> None:
        self.registry = registry
        self.rows = rows
        self._answers: dict[Key, Answer] = {}
        self._until: datetime | None = None

    def answers(self, now: datetime) -> Mapping[Key, Answer]:
        """The answers that are made already and hold on the local day of `now`."""
        if self._until is None or now >= self._until:
            self._answers = {}
            self._until = _next_midnight(self.today(now), self.registry)
        return self._answers

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep an answer that was made of this snapshot's rows on the local day that `answers` was last asked for."""
        if len(self._answers) < _MOST_ANSWERS:
            self._answers[key] = answer

    def today(self, now: datetime) -> date:
        """The local day."""
        return local_day(now, self.registry.instansi.zone)

    def row(self, opd: str, layanan: str, window: Window) -> Row | None:
        """The row of a window, if it is rolled to just these days."""
        row = self.rows.get(opd, {}).get((layanan, window.name))
        return (
            row
            if row is not None and (row.first, row.last) == (window.first, window.last)
            else None
        )

    def changed_at(self, opd: str, layanan: str) -> datetime | None:
        """When the last count changed anything of it."""
        row = self.rows.get(opd, {}).get((layanan, "all"))
        return row.computed_at if row is not None else None

    def as_of(self) -> date | None:
        """The local day that the instansi's rows are rolled to."""
        row = self.rows.get(INSTANSI, {}).get(("", "today"))
        return row.last if row is not None else None


class Board:
    """The present snapshot, None until the first one was loaded; and whether PostgreSQL was heard of lately."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.connected = False

    def show(self, registry: Registry, rows: Iterable[Row]) -> None:
        """Replace everything."""
        self.snapshot = Snapshot(registry, _grouped(rows))

    def update(self, opds: Iterable[str], rows: Iterable[Row]) -> None:
        """Replace the rows of some OPDs."""
        if self.snapshot is not None:
            without = {
                opd: of_opd for opd, of_opd in self.snapshot.rows.items() if opd not in set(opds)
            }
            self.snapshot = Snapshot(self.snapshot.registry, {**without, **_grouped(rows)})


def _grouped(rows: Iterable[Row]) -> dict[str, dict[tuple[str, str], Row]]:
    grouped: dict[str, dict[tuple[str, str], Row]] = {}
    for row in rows:
        grouped.setdefault(row.opd, {})[row.layanan, row.window] = row
    return grouped


def _next_midnight(today: date, registry: Registry) -> datetime:
    return datetime.combine(today + timedelta(days=1), time.min, registry.instansi.zone)

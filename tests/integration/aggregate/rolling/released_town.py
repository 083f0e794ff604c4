"""A town whose refreshes are watched: bins against the rule, public rows against the bins."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from services.aggregate.rolling.refresh import AT_ONCE, Cache, refresh
from services.aggregate.rolling.released.calendar import Pace, PublicCalendar
from services.aggregate.rolling.released.public_figures import compute
from services.aggregate.rolling.released.public_rows import (
    public_rows_of,
    public_summaries,
    public_summaries_of_instansi,
)
from services.aggregate.rolling.rolling_rows import WindowSummary, window_summary
from services.aggregate.verify.released.released_check import ReleasedCheck
from shared.domain.questionnaire import SKM_2017
from shared.domain.release import Bin, BinKey, faults, last_closed_day, release
from shared.domain.tally import Tally
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.registry import stored_registry
from shared.storage.released import bins, rows
from shared.storage.released.rows import ReleasedRow
from shared.storage.rolling import INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import as_tally
from tests.integration.aggregate import tally_seed as seed

TODAY = date(2026, 11, 3)
DAY = timedelta(days=1)
CLOSE_DAYS = 7
OPDS = {"dinkes": {"farmasi": 1000, "imunisasi": 500}, "dukcapil": {"ktp-el": 12000}}


def noon(day: date) -> datetime:
    """Noon of a day in Jakarta."""
    return datetime.combine(day, time(5), UTC)


NOON = noon(TODAY)


def said(row: ReleasedRow) -> tuple[WindowSummary, datetime | None, bool]:
    """What a row says, apart from when it was written."""
    return window_summary(row), row.released_at, row.withheld


@dataclass
class Town:
    """Its database, the memories of its workers, and the rule applied to everything each time."""

    engine: sa.Engine
    caches: list[Cache] = field(default_factory=lambda: [Cache()])
    now: datetime = NOON
    pace: Pace = AT_ONCE
    model: dict[str, dict[BinKey, Bin]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The local day; it is noon."""
        return self.now.date()

    def count(self, opd: str, layanan: str, day: date, *responses: str) -> None:
        """One batch in one transaction."""
        seed.counted(self.engine, opd, layanan, day, *responses, today=self.today)

    def refresh(self, worker: int = 0) -> int:
        """What a worker does; each refresh is a second later than the one before."""
        self.now += timedelta(seconds=1)
        cache = self.caches[worker]
        return refresh(self.engine, self.registry(), lambda _: self.now, cache, self.pace)

    def registry(self) -> Registry:
        """The registry as it is."""
        with self.engine.connect() as connection:
            return stored_registry.load(connection)

    def live(self) -> dict[str, dict[BinKey, Tally]]:
        """The day tallies by OPD, month, layanan and questionnaire."""
        live: dict[str, dict[BinKey, Tally]] = {}
        with self.engine.connect() as connection:
            for sums in tally_sums.by_segment_and_month(connection, list(OPDS), 9, ()):
                month = f"{sums.month:%Y-%m}"
                key = BinKey(month, sums.layanan, sums.questionnaire)
                live.setdefault(sums.opd, {})[key] = as_tally(sums.vector, SKM_2017.size)
        return live

    def bins(self) -> dict[str, dict[BinKey, Bin]]:
        """The stored bins."""
        with self.engine.connect() as connection:
            return bins.read(connection)

    def rows(self) -> dict[tuple[str, str, str], ReleasedRow]:
        """The public rows."""
        with self.engine.connect() as connection:
            return {(row.opd, row.layanan, row.window): row for row in rows.read_rows(connection)}

    def follow(self, new_close: set[str]) -> None:
        """Let the model make the refresh that the worker made; `new_close`: of these OPDs."""
        closed_to = last_closed_day(self.today, CLOSE_DAYS)
        for opd, live in self.live().items():
            stored = self.model.setdefault(opd, {})
            is_new = opd in new_close
            stored |= release(stored, live, closed_to, self.now, is_new_close=is_new)

    def closing(self) -> set[str]:
        """The OPDs whose next refresh closes months."""
        closed_to = last_closed_day(self.today, CLOSE_DAYS)
        with self.engine.connect() as connection:
            states = rolling.read_states(connection)
        return {state.opd for state in states if state.closed_to != closed_to}

    def check(self) -> None:
        """Bins are such as the rule makes, and rows say what the bins add up to."""
        stored, live = self.bins(), self.live()
        with self.engine.connect() as connection:
            states = rolling.read_states(connection)
            released = ReleasedCheck(connection, self.registry(), states)
            assert not [fault for state in states for fault in released.wrong_bins_of_opd(state)]
        for opd, bins_of_opd in stored.items():
            assert not list(faults(bins_of_opd, live[opd]))
        assert {key: said(row) for key, row in self.rows().items()} == {
            (row.opd, row.layanan, row.window): said(row) for row in self._computed()
        }

    def _computed(self) -> Iterator[ReleasedRow]:
        calendar, registry = PublicCalendar.of(self.today, CLOSE_DAYS), self.registry()
        stored = self.bins()
        with self.engine.connect() as connection:
            states = rolling.read_states(connection)
        figures = [
            compute(state, stored.get(state.opd, {}), registry, calendar) for state in states
        ]
        for opd_figures in figures:
            summaries = public_summaries(opd_figures, calendar)
            yield from public_rows_of(opd_figures.state.opd, summaries, 0)
        of_instansi = public_summaries_of_instansi(figures, registry, calendar)
        yield from public_rows_of(INSTANSI, of_instansi, 0)

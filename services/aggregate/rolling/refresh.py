"""Turns the day tallies of stale OPDs into the rolling table, in one transaction.

    opd_state ─► stale OPDs ─► sums of segments ─► windows ─► summaries ─► rolling_ikm ─► NOTIFY
                                           months ─► release rule ─► released_tally, released_ikm
                              when a day begins: closed triwulan ─► released_breakdown

Rows are recomputed and replaced. Versions are read before the tallies: what is counted meanwhile
leaves its OPD stale for the next refresh. A refresh can be repeated, killed and run twice at once;
the cache only saves work.

An OPD whose figures cannot be worked out does not stop the others: it is left out, stays stale, and
is tried again after a while. The instansi, which needs all of them, then stays as it was.
"""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

import sqlalchemy as sa

from services.aggregate.rolling.breakdowns import publication as breakdowns
from services.aggregate.rolling.current_figures import current_figures
from services.aggregate.rolling.opd_figures import OpdFigures
from services.aggregate.rolling.released.calendar import Pace, PublicCalendar
from services.aggregate.rolling.released.releasing import Released, Releasing
from services.aggregate.rolling.rolling_rows import (
    WindowSummaries,
    changed,
    rows_of,
    summaries_of_instansi,
    summaries_of_opd,
)
from services.aggregate.rolling.segments import Calendar
from shared.domain.errors import IkmError
from shared.domain.window import local_day
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.engine import DatabaseClock, transaction
from shared.storage.registry import stored_registry
from shared.storage.rolling import INSTANSI, OpdState, RollingRow

log = logging.getLogger(__name__)

SICK_S = 60.0  # how long an OPD is left out whose figures could not be worked out
# What the tallies or the questionnaires of an OPD may bring about; never an outage.
_FAULT = (
    sa.exc.DataError,
    IkmError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
)
AT_ONCE = Pace()
# Who left an OPD's state so, wrote its rows and bins.
Shown = tuple[int, date | None, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a refresh leaves behind for the next one of the same process."""

    opd_figures: Mapping[str, OpdFigures] = field(default_factory=dict)
    written: Mapping[str, WindowSummaries] = field(default_factory=dict)
    released: Released = field(default_factory=Released)
    shown: Mapping[str, Shown] = field(default_factory=dict)

    def still_true(self, states: Sequence[OpdState]) -> Self:
        """Return the memory without what the rows said that another process wrote since."""
        shown = _shown(states)
        own = {opd for opd in shown if self.shown.get(opd) == shown[opd]}
        if self.shown == shown:
            own.add(INSTANSI)
        written = {opd: rows for opd, rows in self.written.items() if opd in own}
        public = {opd: rows for opd, rows in self.released.written.items() if opd in own}
        return replace(self, written=written, released=replace(self.released, written=public))


@dataclass(slots=True)
class Cache:
    """Holds the memory of a process; after it was cleared the next refresh writes everything."""

    memory: Memory = field(default_factory=Memory)
    sick_until_s: dict[str, float] = field(default_factory=dict)  # monotonic, of OPDs left out

    def clear(self) -> None:
        """Forget everything but who is sick."""
        self.memory = Memory()

    def sick(self) -> set[str]:
        """Return the OPDs that are to be left out now."""
        now_s = time.monotonic()
        return {opd for opd, until_s in self.sick_until_s.items() if now_s < until_s}


def refresh(
    engine: sa.Engine,
    registry: Registry,
    clock: DatabaseClock,
    cache: Cache,
    pace: Pace = AT_ONCE,
) -> int:
    """Bring the rolling and the released table up to date; return how many OPDs were stale.

    `registry` may be behind: a newer one is read. Raises what the database raises; nothing is then
    changed.
    """
    turn = _Turn(engine, registry, clock, pace)
    try:
        stale, cache.memory = turn.refresh(cache.memory, cache.sick())
    except _FAULT:
        cache.clear()  # the rows that it remembers as written may not be
        log.exception("failed for all OPDs together: now one by one")
        stale, sick = turn.refresh_singly(cache.sick())
        if not sick:
            raise
        cache.sick_until_s |= dict.fromkeys(sick, time.monotonic() + SICK_S)
    except BaseException:
        cache.clear()
        raise
    return stale


@dataclass(frozen=True, slots=True)
class _Turn:
    """One call of `refresh`."""

    engine: sa.Engine
    registry: Registry
    clock: DatabaseClock
    pace: Pace

    def refresh(self, memory: Memory, left_out: Collection[str]) -> tuple[int, Memory]:
        """Refresh the stale OPDs but those left out; return how many, and what to remember."""
        with transaction(self.engine) as connection:
            refreshed = _refresh(self, connection, memory, left_out)
        return refreshed or (0, memory)

    def refresh_singly(self, left_out: Collection[str]) -> tuple[int, set[str]]:
        """Refresh each stale OPD for itself; return how many, and those for which it failed."""
        with self.engine.connect() as connection:
            opds = {state.opd for state in rolling.read_states(connection)}
        refreshed, sick = 0, set()
        for opd in sorted(opds - set(left_out)):
            try:
                refreshed += self.refresh(Memory(), opds - {opd})[0]
            except _FAULT:
                log.exception("an OPD cannot be refreshed", extra={"opd": opd})
                sick.add(opd)
        return refreshed, sick


def _refresh(
    turn: _Turn, connection: sa.Connection, memory: Memory, left_out: Collection[str]
) -> tuple[int, Memory] | None:
    registry = turn.registry
    rolling.begin_refresh(connection)
    every_state = rolling.read_states(connection)
    states = [state for state in every_state if state.opd not in left_out]
    is_whole = len(states) == len(every_state)
    if stored_registry.read_version(connection) > registry.version:
        registry = stored_registry.load(connection)
    # After the wait for other refreshes: who comes later never has an earlier day. A day to which
    # the rows were once rolled too far is left again.
    now = turn.clock(connection)
    today = local_day(now, registry.instansi.zone)
    public_calendar = PublicCalendar.of(today, turn.pace.close_days)
    stale = [state for state in states if not state.is_shown(today, public_calendar.closed_to)]
    if not stale:
        return None
    memory = memory.still_true(states)
    calendar = Calendar.of(today)
    opd_figures = current_figures(connection, states, registry, calendar, memory.opd_figures)
    windows = {opd: figures.windows for opd, figures in opd_figures.items()}
    summaries = {
        state.opd: summaries_of_opd(windows[state.opd], calendar.windows) for state in stale
    }
    if is_whole:
        summaries[INSTANSI] = summaries_of_instansi(
            list(windows.values()), registry, calendar.windows, today
        )
    rows = _rows_to_write(summaries, states, now, memory.written)
    rolling.replace_rows(connection, list(rows))
    _delete_past_windows(connection, stale, calendar, is_whole=is_whole)
    releasing = Releasing(connection, registry, public_calendar, now, turn.pace.between, is_whole)
    months = {state.opd: opd_figures[state.opd].months for state in stale}
    released = releasing.release(states, stale, months, memory.released)
    shown_until = (today, public_calendar.closed_to)
    begun = [state.opd for state in stale if (state.as_of, state.closed_to) != shown_until]
    if is_whole or len(states) > 1:  # the instansi is not made of OPDs one by one
        breakdowns.publish(connection, begun, registry.unsur_max, public_calendar.closed_to, now)
    rolling.announce(connection, list(summaries))
    states_after = [released.figures[state.opd].state for state in states]
    # Last: counting waits for these rows until the commit.
    rolling.write_states(connection, [released.figures[state.opd].state for state in stale])
    written = {**memory.written, **summaries}
    return len(stale), Memory(opd_figures, written, released, _shown(states_after))


def _shown(states: Iterable[OpdState]) -> dict[str, Shown]:
    return {state.opd: (state.refreshed, state.as_of, state.releases) for state in states}


def _rows_to_write(
    summaries: Mapping[str, WindowSummaries],
    states: Sequence[OpdState],
    now: datetime,
    written: Mapping[str, WindowSummaries],
) -> Iterator[RollingRow]:
    versions = {state.opd: state.version for state in states}
    versions[INSTANSI] = sum(versions.values())
    for opd, summaries_of_windows in summaries.items():
        to_write = changed(summaries_of_windows, written.get(opd, {}))
        yield from rows_of(opd, to_write, versions[opd], now)


def _delete_past_windows(
    connection: sa.Connection, stale: Sequence[OpdState], calendar: Calendar, *, is_whole: bool
) -> None:
    moved_on = [state.opd for state in stale if state.as_of != calendar.today]
    if moved_on:
        windows = [window.name for window in calendar.windows]
        instansi = [INSTANSI] if is_whole else []
        rolling.delete_other_windows(connection, [*instansi, *moved_on], windows)

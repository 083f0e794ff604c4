"""Turns the day tallies of stale OPDs into the rolling table, in one transaction.

    opd_state ─► stale OPDs ─► sums of segments ─► windows ─► summaries ─► rolling_ikm ─► NOTIFY

Rows are recomputed and replaced. Versions are read before the tallies: what is counted meanwhile
leaves its OPD stale for the next refresh. A refresh can be repeated, killed and run twice at once;
the cache only saves work.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from services.aggregate.rolling.current_figures import current_figures
from services.aggregate.rolling.opd_figures import OpdFigures
from services.aggregate.rolling.rolling_rows import (
    WindowSummaries,
    changed,
    rows_of,
    summaries_of_instansi,
    summaries_of_opd,
)
from services.aggregate.rolling.segments import Calendar
from shared.domain.window import local_day
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.engine import DatabaseClock, transaction
from shared.storage.registry import stored_registry
from shared.storage.rolling import INSTANSI, OpdState, RollingRow

Shown = tuple[int, date | None]  # opd_state.refreshed and as_of: who wrote them, wrote the rows


@dataclass(slots=True)
class Cache:
    """What this process remembers of its last refresh.

    After it was cleared, the next refresh reads and writes everything.
    """

    opd_figures: Mapping[str, OpdFigures] = field(default_factory=dict)
    written: Mapping[str, WindowSummaries] = field(default_factory=dict)
    shown: Mapping[str, Shown] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.opd_figures, self.written, self.shown = {}, {}, {}

    def still_written(self, opd: str, shown: Mapping[str, Shown]) -> WindowSummaries:
        """Return what the rows of an OPD say; nothing unless this process wrote them last."""
        is_last_writer = (
            self.shown == shown if opd == INSTANSI else self.shown.get(opd) == shown[opd]
        )
        return self.written.get(opd, {}) if is_last_writer else {}


@dataclass(frozen=True, slots=True)
class _Refreshed:
    """What a refresh leaves in the cache once it is committed."""

    stale: int
    opd_figures: Mapping[str, OpdFigures]
    written: Mapping[str, WindowSummaries]
    shown: Mapping[str, Shown]


def refresh(engine: sa.Engine, registry: Registry, clock: DatabaseClock, cache: Cache) -> int:
    """Bring the rolling table up to date; return the number of OPDs that were stale.

    `registry` may be behind: a newer one is read. Raises what the database raises; nothing is then
    changed.
    """
    try:
        with transaction(engine) as connection:
            refreshed = _refresh(connection, registry, clock, cache)
    except BaseException:
        cache.clear()  # the rows that it remembers as written may not be
        raise
    if refreshed is None:
        return 0
    cache.opd_figures = refreshed.opd_figures
    cache.written = refreshed.written
    cache.shown = refreshed.shown
    return refreshed.stale


def _refresh(
    connection: sa.Connection, registry: Registry, clock: DatabaseClock, cache: Cache
) -> _Refreshed | None:
    rolling.begin_refresh(connection)
    states = rolling.read_states(connection)
    if stored_registry.read_version(connection) > registry.version:
        registry = stored_registry.load(connection)
    # After the wait for other refreshes: who comes later never has an earlier day. A day to which
    # the rows were once rolled too far is left again.
    now = clock(connection)
    today = local_day(now, registry.instansi.zone)
    stale = [state for state in states if state.version != state.refreshed or state.as_of != today]
    if not stale:
        return None
    calendar = Calendar.of(today)
    opd_figures = current_figures(connection, states, registry, calendar, cache.opd_figures)
    windows = {opd: figures.windows for opd, figures in opd_figures.items()}
    summaries = {
        state.opd: summaries_of_opd(windows[state.opd], calendar.windows) for state in stale
    }
    summaries[INSTANSI] = summaries_of_instansi(
        list(windows.values()), registry, calendar.windows, today
    )
    rolling.replace_rows(connection, list(_rows_to_write(summaries, states, now, cache)))
    _delete_past_windows(connection, stale, calendar)
    rolling.announce(connection, list(summaries))
    # Last: counting waits for these rows until the commit.
    rolling.mark_refreshed(connection, stale, today)
    shown = _shown(states) | {state.opd: (state.version, today) for state in stale}
    return _Refreshed(len(stale), opd_figures, {**cache.written, **summaries}, shown)


def _shown(states: Sequence[OpdState]) -> dict[str, Shown]:
    return {state.opd: (state.refreshed, state.as_of) for state in states}


def _rows_to_write(
    summaries: Mapping[str, WindowSummaries],
    states: Sequence[OpdState],
    now: datetime,
    cache: Cache,
) -> Iterator[RollingRow]:
    shown = _shown(states)
    versions = {state.opd: state.version for state in states}
    versions[INSTANSI] = sum(versions.values())
    for opd, summaries_of_windows in summaries.items():
        to_write = changed(summaries_of_windows, cache.still_written(opd, shown))
        yield from rows_of(opd, to_write, versions[opd], now)


def _delete_past_windows(
    connection: sa.Connection, stale: Sequence[OpdState], calendar: Calendar
) -> None:
    moved_on = [state.opd for state in stale if state.as_of != calendar.today]
    if moved_on:
        windows = [window.name for window in calendar.windows]
        rolling.delete_other_windows(connection, [INSTANSI, *moved_on], windows)

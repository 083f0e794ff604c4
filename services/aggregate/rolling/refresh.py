"""Turns the day tallies of stale OPDs into the rolling table: recomputed and replaced, in one transaction.

    opd_state ─► stale OPDs ─► sums of segments ─► windows ─► summaries ─► rolling_ikm ─► the instansi ─► NOTIFY

Versions are read before the tallies: what is counted meanwhile leaves its OPD stale for the next
refresh. A refresh can be repeated, killed and run twice at once; the cache only saves work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from services.aggregate.rolling.opd_figures import Known, by_layanan, learn
from services.aggregate.rolling.rolling_rows import (
    Contents,
    changed,
    contents,
    contents_of_instansi,
    rows,
)
from services.aggregate.rolling.segments import Calendar
from shared.domain.window import local_day
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.engine import transaction
from shared.storage.registry import stored_registry
from shared.storage.rolling import INSTANSI, OpdState
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, SegmentSum

Stamp = tuple[int, date | None]  # opd_state.refreshed and as_of: who wrote them, wrote the rows


@dataclass(slots=True)
class Cache:
    """What this process knows from its last refresh. Empty it, and the next refresh reads and writes everything."""

    known: Mapping[str, Known] = field(default_factory=dict)
    written: Mapping[str, Contents] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.known, self.written, self.stamps = {}, {}, {}

    def wrote(self, opd: str, stamps: Mapping[str, Stamp]) -> Contents:
        """The rows of an OPD as they are in the table, if it was this process that wrote them last; else nothing."""
        same = self.stamps == stamps if opd == INSTANSI else self.stamps.get(opd) == stamps[opd]
        return self.written.get(opd, {}) if same else {}


def refresh(engine: sa.Engine, registry: Registry, now: datetime, cache: Cache) -> int:
    """Bring the rolling table up to date; the number of OPDs that were stale.

    `registry` may be behind: a newer one is read. Raises what the database raises; nothing is then
    changed.
    """
    try:
        with transaction(engine) as connection:
            done = _refresh(connection, registry, now, cache)
    except BaseException:
        cache.clear()  # the rows that it remembers as written may not be
        raise
    if done is None:
        return 0
    cache.known, cache.written, cache.stamps = done.known, done.written, done.stamps
    return done.refreshed


@dataclass(frozen=True, slots=True)
class _Done:
    refreshed: int
    known: Mapping[str, Known]
    written: Mapping[str, Contents]
    stamps: Mapping[str, Stamp]


def _refresh(
    connection: sa.Connection, registry: Registry, now: datetime, cache: Cache
) -> _Done | None:
    rolling.begin_refresh(connection)
    states = rolling.read_states(connection)
    if stored_registry.read_version(connection) > registry.version:
        registry = stored_registry.load(connection)
    today = _rolled_day(states, local_day(now, registry.instansi.zone))
    stale = [state for state in states if state.version != state.refreshed or state.as_of != today]
    if not stale:
        return None
    calendar = Calendar.of(today)
    known = _known(connection, states, registry, calendar, cache.known)
    new: dict[str, Contents] = {state.opd: contents(known[state.opd], calendar) for state in stale}
    new[INSTANSI] = contents_of_instansi(list(known.values()), registry, calendar)
    versions = {state.opd: state.version for state in states} | {
        INSTANSI: sum(state.version for state in states)
    }
    stamps = {state.opd: (state.refreshed, state.as_of) for state in states}
    to_write = [
        row
        for opd, of_opd in new.items()
        for row in rows(opd, changed(of_opd, cache.wrote(opd, stamps)), versions[opd], now)
    ]
    rolling.replace_rows(connection, to_write)
    if moved_on := [state.opd for state in stale if state.as_of != today]:
        rolling.delete_other_windows(
            connection, [INSTANSI, *moved_on], [window.name for window in calendar.windows]
        )
    rolling.announce(connection, list(new))
    rolling.mark_refreshed(
        connection, stale, today
    )  # last: counting waits for these rows until the commit
    stamps |= {state.opd: (state.version, today) for state in stale}
    return _Done(len(stale), known, {**cache.written, **new}, stamps)


def _rolled_day(states: Sequence[OpdState], today: date) -> date:
    """The day to roll to: never back to yesterday, when another worker's clock passed midnight first."""
    tomorrow = today + timedelta(days=1)
    return tomorrow if any(state.as_of == tomorrow for state in states) else today


def _known(
    connection: sa.Connection,
    states: Sequence[OpdState],
    registry: Registry,
    calendar: Calendar,
    old: Mapping[str, Known],
) -> dict[str, Known]:
    """Every OPD as its tallies are: what did not change is kept, of what changed today alone little is read."""
    usable = {opd: one for opd, one in old.items() if one.is_of(registry, calendar)}
    current: dict[str, Known] = {}
    touched_today: list[OpdState] = []
    touched_before: list[OpdState] = []
    for state in states:
        one = usable.get(state.opd)
        if one is not None and one.state.version == state.version:
            current[state.opd] = one
        elif one is not None and one.state.past_version == state.past_version:
            touched_today.append(state)
        else:
            touched_before.append(state)
    recent = _sums(
        connection, touched_today, registry, calendar, Scope(first=calendar.unsettled_from)
    )
    whole = _sums(connection, touched_before, registry, calendar, tally_sums.EVERYTHING)
    for state in touched_today:
        before = usable[state.opd]
        cuts = by_layanan(recent.get(state.opd, ()), before.settled(calendar))
        current[state.opd] = learn(state, cuts, registry, calendar, before)
    for state in touched_before:
        cuts = by_layanan(whole.get(state.opd, ()))
        current[state.opd] = learn(state, cuts, registry, calendar, usable.get(state.opd))
    return current


def _sums(
    connection: sa.Connection,
    states: Sequence[OpdState],
    registry: Registry,
    calendar: Calendar,
    scope: Scope,
) -> dict[str, list[SegmentSum]]:
    found: dict[str, list[SegmentSum]] = {}
    if states:
        opds = [state.opd for state in states]
        borders = calendar.segments.borders
        size = max(one.size for one in registry.questionnaires.values())
        for one in tally_sums.by_segment(connection, opds, size, borders, scope):
            found.setdefault(one.opd, []).append(one)
    return found

"""The public figures of all OPDs as their bins are stored, reading no more than what others moved.

Bins that this process remembers are those of the table as long as nobody has moved them since:
opd_state.releases counts the refreshes that did, past_releases says which of them moved more than
bins of the present month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from services.aggregate.rolling.released.calendar import PublicCalendar
from services.aggregate.rolling.released.public_figures import PublicFigures, compute, moved
from shared.domain.release import Bin, Bins, last_day
from shared.registry.snapshot import Registry
from shared.storage.released import bins
from shared.storage.rolling import OpdState


def current_public(
    connection: sa.Connection,
    states: Sequence[OpdState],
    registry: Registry,
    calendar: PublicCalendar,
    before: Mapping[str, PublicFigures],
) -> dict[str, PublicFigures]:
    """Return the public figures of every OPD, given those of the last refresh."""
    current: dict[str, PublicFigures] = {}
    moved_lately: list[OpdState] = []
    moved_before: list[OpdState] = []
    for state in states:
        figures = before.get(state.opd)
        if figures is None or figures.state.past_releases != state.past_releases:
            moved_before.append(state)
        elif figures.state.releases == state.releases:
            is_current = figures.is_of(registry, calendar)
            computed = figures if is_current else compute(state, figures.bins, registry, calendar)
            current[state.opd] = replace(computed, state=state)
        elif figures.is_of(registry, calendar):
            moved_lately.append(state)
        else:
            moved_before.append(state)
    recent = _stored(connection, moved_lately, calendar)
    for state in moved_lately:
        figures = before[state.opd]
        moves = _moves(figures.bins, recent.get(state.opd, {}), calendar)
        current[state.opd] = replace(moved(figures, moves, registry, calendar), state=state)
    complete = _stored(connection, moved_before, None)
    for state in moved_before:
        current[state.opd] = compute(state, complete.get(state.opd, {}), registry, calendar)
    return current


def _stored(
    connection: sa.Connection, states: Sequence[OpdState], calendar: PublicCalendar | None
) -> Mapping[str, Bins]:
    """Return the stored bins of OPDs; given a calendar, the recent ones alone."""
    if not states:
        return {}
    since = calendar.recent_from if calendar is not None else None
    return bins.read(connection, [state.opd for state in states], since)


def _moves(before: Bins, recent: Bins, calendar: PublicCalendar) -> Bins:
    """Return the recent bins that are stored otherwise than before, or not any more."""
    gone = {
        key: Bin.empty(stored.released.size)
        for key, stored in before.items()
        if key not in recent and last_day(key.period) >= calendar.recent_from
    }
    return {**gone, **{key: stored for key, stored in recent.items() if before.get(key) != stored}}

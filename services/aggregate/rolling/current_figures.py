"""The figures of all OPDs as their tallies are now, reading no more than what may have changed."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from services.aggregate.rolling.opd_figures import OpdFigures, compute, sums_by_layanan
from services.aggregate.rolling.segments import Calendar
from shared.registry.snapshot import Registry
from shared.storage.rolling import OpdState
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, SegmentSum


def current_figures(
    connection: sa.Connection,
    states: Sequence[OpdState],
    registry: Registry,
    calendar: Calendar,
    before: Mapping[str, OpdFigures],
) -> dict[str, OpdFigures]:
    """Return the figures of every OPD, given those of the last refresh.

    An OPD whose version is the same keeps its figures; of one that was touched today alone the
    settled days are not read again.
    """
    usable = {opd: figures for opd, figures in before.items() if figures.is_of(registry, calendar)}
    current: dict[str, OpdFigures] = {}
    touched_today: list[OpdState] = []
    touched_before: list[OpdState] = []
    for state in states:
        figures = usable.get(state.opd)
        if figures is not None and figures.state.version == state.version:
            current[state.opd] = figures
        elif figures is not None and figures.state.past_version == state.past_version:
            touched_today.append(state)
        else:
            touched_before.append(state)
    unsettled_days = Scope(first=calendar.unsettled_from)
    unsettled = _sums_by_opd(connection, touched_today, registry, calendar, unsettled_days)
    complete = _sums_by_opd(connection, touched_before, registry, calendar, tally_sums.EVERYTHING)
    for state in touched_today:
        figures = usable[state.opd]
        settled = figures.settled_sums(calendar)
        sums = sums_by_layanan(unsettled.get(state.opd, ()), settled)
        current[state.opd] = compute(state, sums, registry, calendar, figures)
    for state in touched_before:
        sums = sums_by_layanan(complete.get(state.opd, ()))
        current[state.opd] = compute(state, sums, registry, calendar, usable.get(state.opd))
    return current


def _sums_by_opd(
    connection: sa.Connection,
    states: Sequence[OpdState],
    registry: Registry,
    calendar: Calendar,
    scope: Scope,
) -> dict[str, list[SegmentSum]]:
    sums: dict[str, list[SegmentSum]] = {}
    if states:
        opds = [state.opd for state in states]
        borders = calendar.segments.borders
        for segment_sum in tally_sums.by_segment(
            connection, opds, registry.unsur_max, borders, scope
        ):
            sums.setdefault(segment_sum.opd, []).append(segment_sum)
    return sums

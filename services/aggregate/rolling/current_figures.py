"""The figures of all OPDs as their tallies are now, reading no more than what may have changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from services.aggregate.rolling.live_months import LiveMonths
from services.aggregate.rolling.opd_figures import OpdFigures, compute, sums_by_layanan
from services.aggregate.rolling.segments import Calendar
from shared.registry.snapshot import Registry
from shared.storage.rolling import OpdState
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import MonthSum, Scope


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
        figures, sums = usable[state.opd], unsettled.get(state.opd, [])
        segment_sums = sums_by_layanan(sums, figures.settled_sums(calendar))
        computed = compute(state, segment_sums, registry, calendar, figures)
        current[state.opd] = replace(computed, months=figures.months.with_unsettled(sums))
    for state in touched_before:
        sums = complete.get(state.opd, [])
        segment_sums = sums_by_layanan(sums)
        computed = compute(state, segment_sums, registry, calendar, usable.get(state.opd))
        current[state.opd] = replace(computed, months=LiveMonths.of(sums, calendar))
    return current


def _sums_by_opd(
    connection: sa.Connection,
    states: Sequence[OpdState],
    registry: Registry,
    calendar: Calendar,
    scope: Scope,
) -> dict[str, list[MonthSum]]:
    sums: dict[str, list[MonthSum]] = {}
    if states:
        opds = [state.opd for state in states]
        borders = calendar.segments.borders
        for month_sum in tally_sums.by_segment_and_month(
            connection, opds, registry.unsur_max, borders, scope
        ):
            sums.setdefault(month_sum.opd, []).append(month_sum)
    return sums

"""What the public sees obeys the release rule, and its rows are made of whole steps alone.

The live tallies are summed by month anew and the public figures computed from the stored bins; what
a refresh remembers is not used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from services.aggregate.rolling.released.calendar import PublicCalendar
from services.aggregate.rolling.released.public_figures import PublicFigures, compute
from services.aggregate.rolling.released.public_rows import (
    public_rows_of,
    public_summaries,
    public_summaries_of_instansi,
)
from services.aggregate.verify import row_comparison
from services.aggregate.verify.released.bin_faults import faults_of_part
from shared.domain import release
from shared.domain.release import BinKey, Bins
from shared.domain.tally import Tally
from shared.domain.window import ALL, public_windows
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.released import bins, parts, rows
from shared.storage.rolling import INSTANSI, OpdState
from shared.storage.tallies import tally_sums

EXAMPLES = 10


@dataclass(slots=True)
class ReleasedCheck:
    """The check, OPD by OPD, under one snapshot of PostgreSQL."""

    connection: sa.Connection
    registry: Registry
    states: list[OpdState]
    figures: list[PublicFigures] = field(default_factory=list)

    def wrong_bins_of_opd(self, state: OpdState) -> Iterator[str]:
        """Yield what is wrong with the bins of one OPD: the first few, and how many more."""
        faults = self._faults(state)
        yield from islice(faults, EXAMPLES)
        if more := sum(1 for _ in faults):
            yield f"released_tally {state.opd}: {more} more faults"

    def _faults(self, state: OpdState) -> Iterator[str]:
        for stored in parts.read_parts(self.connection, [state.opd]):
            questionnaire = self.registry.questionnaires.get(stored.key.questionnaire)
            for fault in faults_of_part(stored, questionnaire):
                yield f"released_tally {'/'.join(stored.key)}: {fault}"
        live = live_by_month(self.connection, state.opd, self.registry)
        stored_bins = self._bins(state)
        for key, fault in release.faults(stored_bins, live):
            yield f"released_tally {state.opd}/{'/'.join(key)}: {fault}"
        if is_fresh(state) and state.closed_to is not None:
            moves = release.release(
                stored_bins, live, state.closed_to, datetime.now(UTC), is_new_close=False
            )
            for key in sorted(moves.keys() - self._resting(state.opd, stored_bins, moves)):
                name = f"{state.opd}/{'/'.join(key)}"
                yield f"released_tally {name}: the rule would have moved it, the refresh did not"

    def _resting(self, opd: str, stored: Bins, moves: Bins) -> set[BinKey]:
        """Return the bins whose last step was too recent for another when they last grew."""
        if not moves:
            return set()
        grown_at = {
            row.layanan: row.computed_at
            for row in rolling.read_rows(self.connection, [opd])
            if row.window == ALL.name
        }
        return {
            key
            for key in moves.keys() & stored.keys()
            if key.layanan in grown_at
            and stored[key].is_resting(grown_at[key.layanan], release.BETWEEN_STEPS)
        }

    def wrong_rows_of_opd(self, state: OpdState) -> Iterator[str]:
        """Yield what is wrong with the public rows of one OPD; nothing while it is stale."""
        calendar = _calendar(state)
        if calendar is None or not is_fresh(state):
            return
        figures = compute(state, self._bins(state), self.registry, calendar)
        # The instansi needs the OPD as a whole alone.
        self.figures.append(replace(figures, bins={}))
        stored = rows.read_rows(self.connection, [state.opd])
        summaries = public_summaries(figures, calendar)
        computed = public_rows_of(state.opd, summaries, figures.steps)
        yield from row_comparison.differences("released_ikm", state.opd, stored, computed)
        yield from _wrong_versions(state.opd, stored, figures.steps)

    def wrong_rows_of_instansi(self) -> Iterator[str]:
        """Yield what is wrong with the rows of the instansi, if every OPD could be looked at."""
        days = {(state.as_of, state.closed_to) for state in self.states}
        if len(days) != 1 or len(self.figures) != len(self.states):
            return
        calendar = _calendar(self.states[0])
        if calendar is not None:
            summaries = public_summaries_of_instansi(self.figures, self.registry, calendar)
            steps = sum(figures.steps for figures in self.figures)
            computed = public_rows_of(INSTANSI, summaries, steps)
            stored = rows.read_rows(self.connection, [INSTANSI])
            yield from row_comparison.differences("released_ikm", INSTANSI, stored, computed)
            yield from _wrong_versions(INSTANSI, stored, steps)

    def _bins(self, state: OpdState) -> Bins:
        return bins.read(self.connection, [state.opd]).get(state.opd, {})


def is_fresh(state: OpdState) -> bool:
    """Tell whether rows and bins are those of the present tallies."""
    return state.version == state.refreshed and state.as_of is not None


def _calendar(state: OpdState) -> PublicCalendar | None:
    if state.as_of is None or state.closed_to is None:
        return None
    yesterday = state.as_of - timedelta(days=1)
    return PublicCalendar(state.as_of, public_windows(state.as_of), state.closed_to, yesterday)


def _wrong_versions(opd: str, stored: list[rows.ReleasedRow], steps: int) -> Iterator[str]:
    wrong = [row for row in stored if not 0 <= row.version <= steps]
    if wrong:
        name = "/".join((opd or "instansi", wrong[0].layanan, wrong[0].window))
        yield (
            f"released_ikm: a version of more steps than there are ({steps}): {len(wrong)} "
            f"({name} [version={wrong[0].version}])"
        )


def live_by_month(
    connection: sa.Connection, opd: str, registry: Registry
) -> Mapping[BinKey, Tally]:
    """Return what the day tallies of an OPD add up to by month, layanan and questionnaire."""
    days = tally_sums.extent(connection, opd)
    if days is None:
        return {}
    months = list(_months(*days))
    sums = tally_sums.by_segment(connection, [opd], registry.unsur_max, months)
    return {
        # Segment i begins at the border before it.
        BinKey(
            f"{months[of_month.segment - 1]:%Y-%m}", of_month.layanan, of_month.questionnaire
        ): tally_sums.as_tally(
            of_month.vector, registry.questionnaires[of_month.questionnaire].size
        )
        for of_month in sums
    }


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)

"""Moves the bins of stale OPDs by the release rule, and writes the public rows of those that moved.

    live months ─► release rule ─► released_tally ─► public figures ─► released_ikm

It is a part of a refresh, in its transaction and under its lock: what the public sees moves
together with the rolling rows, or neither does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.aggregate.rolling.live_months import LiveMonths
from services.aggregate.rolling.released.calendar import PublicCalendar
from services.aggregate.rolling.released.current_public import current_public
from services.aggregate.rolling.released.public_figures import PublicFigures, moved
from services.aggregate.rolling.released.public_rows import (
    PublicSummaries,
    public_rows_of,
    public_summaries,
    public_summaries_of_instansi,
)
from shared.domain.release import Bin, BinKey, Bins, last_day, release
from shared.registry.snapshot import Registry
from shared.storage.released import bins, rows
from shared.storage.rolling import INSTANSI, OpdState
from shared.storage.tallies.tally_sums import Vector, as_tally


@dataclass(frozen=True, slots=True)
class Released:
    """What a process remembers of its last refresh: public figures with bins, and public rows."""

    figures: Mapping[str, PublicFigures] = field(default_factory=dict)
    written: Mapping[str, PublicSummaries] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Releasing:
    """The release of one refresh: in its transaction, under one registry, at one time."""

    connection: sa.Connection
    registry: Registry
    calendar: PublicCalendar
    now: datetime
    between: timedelta  # see Pace
    is_whole: bool  # else an OPD is left out, and the rows of the instansi stay as they are

    def release(
        self,
        states: Sequence[OpdState],
        stale: Sequence[OpdState],
        months: Mapping[str, LiveMonths],
        before: Released,
    ) -> Released:
        """Move the bins of the stale OPDs and write their public rows.

        `states` are those of all OPDs, `months` the live tallies of the stale ones, and
        `before.written` is what rows are sure to say. In what is returned, the figures of the
        stale OPDs have the states as they are after this refresh.
        """
        figures = current_public(
            self.connection, states, self.registry, self.calendar, before.figures
        )
        moves = {
            state.opd: self._moves(state, figures[state.opd].bins, months[state.opd])
            for state in stale
        }
        bins.write(self.connection, _stored_moves(moves, figures))
        figures |= {
            state.opd: self._moved(state, figures[state.opd], moves[state.opd]) for state in stale
        }
        rewritten = [
            state.opd for state in stale if moves[state.opd] or not self._is_past_settled(state)
        ]
        # Who does not know the instansi's rows writes them: an OPD may have been left out before.
        is_due = rewritten or INSTANSI not in before.written
        written = self._write_rows(figures, rewritten, before.written) if is_due else {}
        self._delete_past_windows(stale)
        return Released(figures, {**before.written, **written})

    def _is_past_settled(self, state: OpdState) -> bool:
        """Tell whether nothing but the unsettled days can have changed since the last refresh."""
        is_same_day = (state.as_of, state.closed_to) == (
            self.calendar.today,
            self.calendar.closed_to,
        )
        return is_same_day and state.past_version <= state.refreshed

    def _moves(self, state: OpdState, stored: Bins, months: LiveMonths) -> Bins:
        vectors = self._recent(stored, months) if self._is_past_settled(state) else months.whole()
        questionnaires = self.registry.questionnaires
        live = {
            key: as_tally(vector, questionnaires[key.questionnaire].size)
            for key, vector in vectors.items()
        }
        closed_to = self.calendar.closed_to
        is_new_close = state.closed_to != closed_to
        return release(stored, live, closed_to, self.now, is_new_close=is_new_close)

    def _recent(self, stored: Bins, months: LiveMonths) -> Mapping[BinKey, Vector]:
        """Return the months that have unsettled days, without bins that have just been released."""
        return {
            key: vector
            for key, vector in months.recent().items()
            if key not in stored or not stored[key].is_resting(self.now, self.between)
        }

    def _moved(self, state: OpdState, figures: PublicFigures, moves: Bins) -> PublicFigures:
        """Return the figures of a stale OPD after its bins moved, with its state from now on."""
        after = state._replace(
            refreshed=state.version, as_of=self.calendar.today, closed_to=self.calendar.closed_to
        )
        if not moves:
            return replace(figures, state=after)
        after = after._replace(releases=state.releases + 1)
        is_past = any(last_day(key.period) < self.calendar.recent_from for key in moves)
        if is_past or state.as_of != self.calendar.today:
            after = after._replace(past_releases=after.releases)
        return replace(moved(figures, moves, self.registry, self.calendar), state=after)

    def _write_rows(
        self,
        figures: Mapping[str, PublicFigures],
        opds: Sequence[str],
        written: Mapping[str, PublicSummaries],
    ) -> dict[str, PublicSummaries]:
        """Write what these OPDs' rows and the instansi's do not say yet; return what they say."""
        every_opd = list(figures.values())
        steps = {opd: figures[opd].steps for opd in opds}
        steps[INSTANSI] = sum(opd_figures.steps for opd_figures in every_opd)
        summaries = {opd: public_summaries(figures[opd], self.calendar) for opd in opds}
        if self.is_whole:
            summaries[INSTANSI] = public_summaries_of_instansi(
                every_opd, self.registry, self.calendar
            )
        changed_rows = [
            row
            for opd, public in summaries.items()
            for row in public_rows_of(opd, _changed(public, written.get(opd, {})), steps[opd])
        ]
        rows.replace_rows(self.connection, changed_rows)
        return summaries

    def _delete_past_windows(self, stale: Sequence[OpdState]) -> None:
        moved_on = [state.opd for state in stale if state.as_of != self.calendar.today]
        if moved_on:
            windows = [window.name for window in self.calendar.windows]
            instansi = [INSTANSI] if self.is_whole else []
            rows.delete_other_windows(self.connection, [*instansi, *moved_on], windows)


def _stored_moves(
    moves: Mapping[str, Bins], figures: Mapping[str, PublicFigures]
) -> Iterator[tuple[str, BinKey, Bin | None, Bin]]:
    for opd, moves_of_opd in moves.items():
        for key, after in moves_of_opd.items():
            yield opd, key, figures[opd].bins.get(key), after


def _changed(public: PublicSummaries, written: PublicSummaries) -> PublicSummaries:
    return {key: summary for key, summary in public.items() if written.get(key) != summary}

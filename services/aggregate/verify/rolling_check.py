"""The rolling rows say what the day tallies add up to: asked of every OPD that is not stale.

The rows are computed anew from sums read at once, with an empty cache; how they are kept up to
date is not used.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self

import sqlalchemy as sa

from services.aggregate.rolling.opd_figures import OpdFigures, compute, sums_by_layanan
from services.aggregate.rolling.rolling_rows import (
    WindowSummaries,
    WindowSummary,
    summaries_of_instansi,
    summaries_of_opd,
    window_summary,
)
from services.aggregate.rolling.segments import Calendar
from shared.registry.snapshot import Registry
from shared.storage import checks, rolling
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, OpdState
from shared.storage.tallies import tally_sums

EXAMPLES = 5


@dataclass(slots=True)
class RollingCheck:
    """The check, OPD by OPD, under one snapshot of PostgreSQL."""

    connection: sa.Connection
    registry: Registry
    states: list[OpdState]
    opd_figures: list[OpdFigures] = field(default_factory=list)
    stale: int = 0

    @classmethod
    def of(cls, connection: sa.Connection, registry: Registry) -> Self:
        """Read which OPDs there are."""
        return cls(connection, registry, rolling.read_states(connection))

    def wrong_rows_of_opd(self, state: OpdState) -> Iterator[str]:
        """Yield what is wrong with the rows of one OPD; nothing while it is stale.

        The rows are computed for the local day that they are rolled to.
        """
        if state.version != state.refreshed or state.as_of is None:
            self.stale += 1
            return
        calendar = Calendar.of(state.as_of)
        sums = tally_sums.by_segment(
            self.connection, [state.opd], self.registry.unsur_max, calendar.segments.borders
        )
        figures = compute(state, sums_by_layanan(sums), self.registry, calendar, None)
        yield from self._differences(state.opd, summaries_of_opd(figures, calendar))
        # The instansi needs the OPD as a whole alone.
        self.opd_figures.append(replace(figures, segment_sums={}, layanan={}))

    def wrong_rows_of_instansi(self) -> Iterator[str]:
        """Yield what is wrong with the rows of the instansi; nothing while an OPD is stale."""
        days = {state.as_of for state in self.states}
        day = days.pop() if len(days) == 1 else None
        if not self.stale and day is not None:
            calendar = Calendar.of(day)
            expected = summaries_of_instansi(self.opd_figures, self.registry, calendar)
            yield from self._differences(INSTANSI, expected)

    def never_refreshed(self) -> Iterator[str]:
        """Yield the OPDs with rows or tallies that no refresh ever looks at."""
        for opd in checks.rolling_without_state(self.connection):
            yield f"rolling_ikm has rows of {opd}, which was never counted for"
        for opd in checks.opds_without_state(self.connection):
            yield f"day_tally has rows of {opd}, but opd_state does not know it: never refreshed"

    def _differences(self, opd: str, expected: WindowSummaries) -> Iterator[str]:
        stored = {
            (row.layanan, row.window): window_summary(row)
            for row in rolling.read_rows(self.connection, [opd])
        }
        wrong = sorted(
            key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key)
        )
        name_of_opd = "instansi" if opd == INSTANSI else opd
        for layanan, window in wrong[:EXAMPLES]:
            name = name_of_opd if layanan == ALL_LAYANAN else f"{name_of_opd}/{layanan}"
            has = _in_words(stored.get((layanan, window)))
            expected_words = _in_words(expected.get((layanan, window)))
            yield f"rolling_ikm {name} {window}: has {has}, the tallies give {expected_words}"
        if len(wrong) > EXAMPLES:
            yield f"rolling_ikm {name_of_opd}: {len(wrong) - EXAMPLES} more rows differ"


def _in_words(row: WindowSummary | None) -> str:
    if row is None:
        return "no row"
    summary, first, last = row.summary, row.window.first, row.window.last
    return f"n={summary.respondents} ikm={summary.ikm} {first or '…'}–{last or '…'}"

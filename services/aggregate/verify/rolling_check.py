"""The rolling rows say what the day tallies add up to: asked of every OPD that is not stale.

The rows are computed anew from sums read at once, with an empty cache; how they are kept up to
date is not used.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Self

import sqlalchemy as sa

from services.aggregate.rolling.opd_figures import OpdWindows, compute, sums_by_layanan
from services.aggregate.rolling.rolling_rows import (
    WindowSummaries,
    rows_of,
    summaries_of_instansi,
    summaries_of_opd,
)
from services.aggregate.rolling.segments import Calendar
from services.aggregate.verify import row_comparison
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.rolling import INSTANSI, OpdState
from shared.storage.tallies import tally_sums

_ANY_DAY = date(2000, 1, 1)


@dataclass(slots=True)
class RollingCheck:
    """The check, OPD by OPD, under one snapshot of PostgreSQL."""

    connection: sa.Connection
    registry: Registry
    states: list[OpdState]
    opd_windows: list[OpdWindows] = field(default_factory=list)
    stale: int = 0

    @classmethod
    def of(cls, connection: sa.Connection, registry: Registry) -> Self:
        """Read which OPDs there are."""
        return cls(connection, registry, rolling.read_states(connection))

    def wrong_rows_of_opd(self, state: OpdState) -> Iterator[str]:
        """Yield what is wrong with the rows of one OPD; nothing while it is stale.

        The rows are computed for the local day that they are rolled to; of a stale OPD too, since
        one whose figures cannot be worked out stays stale.
        """
        calendar = Calendar.of(state.as_of or _ANY_DAY)
        sums = tally_sums.by_segment(
            self.connection, [state.opd], self.registry.unsur_max, calendar.segments.borders
        )
        figures = compute(state, sums_by_layanan(sums), self.registry, calendar, None)
        if state.version != state.refreshed or state.as_of is None:
            self.stale += 1
            return
        # The instansi needs the OPD as a whole alone.
        self.opd_windows.append(replace(figures.windows, layanan={}))
        summaries = summaries_of_opd(figures.windows, calendar.windows)
        yield from self._differences(state.opd, summaries)

    def wrong_rows_of_instansi(self) -> Iterator[str]:
        """Yield what is wrong with the rows of the instansi, if every OPD could be looked at."""
        days = {state.as_of for state in self.states}
        day = days.pop() if len(days) == 1 else None
        if len(self.opd_windows) == len(self.states) and day is not None:
            calendar = Calendar.of(day)
            expected = summaries_of_instansi(self.opd_windows, self.registry, calendar.windows, day)
            yield from self._differences(INSTANSI, expected)

    def _differences(self, opd: str, expected: WindowSummaries) -> Iterator[str]:
        computed = rows_of(opd, expected, 0, datetime.now(UTC))
        stored = rolling.read_rows(self.connection, [opd])
        return row_comparison.differences("rolling_ikm", opd, stored, computed)

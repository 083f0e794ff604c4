"""The rolling rows say what the day tallies add up to: asked of every OPD that is not stale.

The rows are computed anew from sums read at once, with an empty cache; how they are kept up to
date is not used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

import msgspec
import sqlalchemy as sa

from services.aggregate.rolling.opd_figures import OpdWindows, compute, sums_by_layanan
from services.aggregate.rolling.rolling_rows import (
    WindowSummaries,
    rows_of,
    summaries_of_instansi,
    summaries_of_opd,
)
from services.aggregate.rolling.segments import Calendar
from shared.registry.snapshot import Registry
from shared.storage import rolling
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, OpdState, RollingRow
from shared.storage.tallies import tally_sums

EXAMPLES = 5
# When they were written says nothing of the tallies.
_COLUMNS = [name for name in RollingRow.__struct_fields__ if name not in ("version", "computed_at")]
_decode_detail = msgspec.json.Decoder(float_hook=Decimal).decode


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
        computed = _by_key(rows_of(opd, expected, 0, datetime.now(UTC)))
        stored = _by_key(rolling.read_rows(self.connection, [opd]))
        wrong = sorted(
            key for key in stored.keys() | computed.keys() if stored.get(key) != computed.get(key)
        )
        name_of_opd = "instansi" if opd == INSTANSI else opd
        for layanan, window in wrong[:EXAMPLES]:
            name = name_of_opd if layanan == ALL_LAYANAN else f"{name_of_opd}/{layanan}"
            difference = _in_words(stored.get((layanan, window)), computed.get((layanan, window)))
            yield f"rolling_ikm {name} {window}: {difference}"
        if len(wrong) > EXAMPLES:
            yield f"rolling_ikm {name_of_opd}: {len(wrong) - EXAMPLES} more rows differ"


_Columns = Mapping[str, Any]


def _by_key(rows: Iterator[RollingRow] | list[RollingRow]) -> dict[tuple[str, str], _Columns]:
    """Return what each row says, by layanan and window; details as values, not as they look."""
    said: dict[tuple[str, str], _Columns] = {}
    for row in rows:
        columns = {name: getattr(row, name) for name in _COLUMNS}
        said[row.layanan, row.window] = {**columns, "detail": _decode_detail(row.detail)}
    return said


def _in_words(stored: _Columns | None, computed: _Columns | None) -> str:
    if stored is None or computed is None:
        row = stored or computed or {}
        numbers = f"n={row['respondents']} ikm={row['ikm']}"
        return (
            f"no row, the tallies give {numbers}"
            if stored is None
            else f"a row too many: {numbers}"
        )
    differences = [
        (name, stored[name], computed[name]) for name in _COLUMNS if stored[name] != computed[name]
    ]
    return "; ".join(
        f"{name} differs" if name == "detail" else f"{name} {has}, the tallies give {expected}"
        for name, has, expected in differences
    )

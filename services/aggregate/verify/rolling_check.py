"""Do the rolling rows say what the day tallies add up to? Asked of every OPD that is not waiting for a refresh.

The rows are worked out anew from sums read at once, with an empty cache; how they are kept up to
date is not used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from services.aggregate.rolling.opd_figures import Known, by_layanan, learn
from services.aggregate.rolling.rolling_rows import (
    Content,
    Contents,
    content_of,
    contents,
    contents_of_instansi,
)
from services.aggregate.rolling.segments import Calendar
from services.aggregate.verify.findings import Finding
from shared.registry.snapshot import Registry
from shared.storage import checks, rolling
from shared.storage.rolling import INSTANSI, OpdState
from shared.storage.tallies import tally_sums

EXAMPLES = 5


@dataclass(slots=True)
class Rolling:
    """The check, OPD by OPD, under one snapshot."""

    connection: sa.Connection
    registry: Registry
    states: list[OpdState]
    known: list[Known] = field(default_factory=list)
    stale: int = 0

    @classmethod
    def of(cls, connection: sa.Connection, registry: Registry) -> "Rolling":
        """Read which OPDs there are."""
        return cls(connection, registry, rolling.read_states(connection))

    def opd(self, state: OpdState) -> Iterator[Finding]:
        """Findings about one OPD, under the local day that its rows are rolled to; none while it is stale."""
        if state.version != state.refreshed or state.as_of is None:
            self.stale += 1
            return
        calendar = Calendar.of(state.as_of)
        size = max(one.size for one in self.registry.questionnaires.values())
        sums = tally_sums.by_segment(self.connection, [state.opd], size, calendar.segments.borders)
        known = learn(state, by_layanan(sums), self.registry, calendar, None)
        yield from self._differences(state.opd, contents(known, calendar))
        self.known.append(
            replace(known, services={})
        )  # the instansi needs the OPD as a whole alone

    def whole(self) -> Iterator[Finding]:
        """Findings about the instansi (when no OPD is stale), and about rows and OPDs that nothing refreshes."""
        days = {state.as_of for state in self.states}
        day = days.pop() if len(days) == 1 else None
        if not self.stale and day is not None:
            calendar = Calendar.of(day)
            expected = contents_of_instansi(self.known, self.registry, calendar)
            yield from self._differences(INSTANSI, expected)
        for opd in checks.rolling_without_state(self.connection, INSTANSI):
            yield Finding("rolling", f"rolling_ikm has rows of {opd}, which was never counted for")
        for opd in checks.opds_without_state(self.connection):
            yield Finding(
                "rolling",
                f"day_tally has rows of {opd}, but opd_state does not know it: never refreshed",
            )

    def _differences(self, opd: str, expected: Contents) -> Iterator[Finding]:
        stored = {
            (row.layanan, row.window): content_of(row)
            for row in rolling.read_rows(self.connection, [opd])
        }
        wrong = sorted(
            key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key)
        )
        for layanan, window in wrong[:EXAMPLES]:
            name = "/".join(part for part in (opd or "instansi", layanan) if part)
            said, says = (_figure(found, (layanan, window)) for found in (stored, expected))
            yield Finding(
                "rolling", f"rolling_ikm {name} {window}: has {said}, the tallies give {says}"
            )
        if len(wrong) > EXAMPLES:
            yield Finding(
                "rolling",
                f"rolling_ikm {opd or 'instansi'}: {len(wrong) - EXAMPLES} more rows differ",
            )


def _figure(found: Mapping[tuple[str, str], Content], key: tuple[str, str]) -> str:
    content = found.get(key)
    if content is None:
        return "no row"
    summary = content.summary
    return f"n={summary.respondents} ikm={summary.ikm} {content.window.first or '…'}–{content.window.last or '…'}"

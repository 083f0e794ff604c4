"""Public breakdowns are made of what is released, and withhold what could be worked out.

Cells are computed anew from the day tallies where they can be told apart: as long as a
layanan-month is released in part, the breakdown before it stays, and is compared in itself alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from operator import add

import sqlalchemy as sa

from services.aggregate.rolling.breakdowns.covered import FACETS, Covered, covered
from shared.domain.disclosure import is_safe
from shared.domain.window import period
from shared.registry.snapshot import Registry
from shared.storage.checks import breakdown_checks
from shared.storage.released import bins, breakdowns
from shared.storage.released.breakdowns import ReleasedBreakdown
from shared.storage.rolling import INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, Vector, padded

_POOLED = "#pooled"
Cells = dict[tuple[str, str], Vector]


@dataclass
class BreakdownCheck:
    """The check, OPD by OPD, under one snapshot of PostgreSQL."""

    connection: sa.Connection
    registry: Registry

    @cached_property
    def periods(self) -> Sequence[str]:
        """The periods that there are breakdowns of."""
        return breakdown_checks.periods(self.connection)

    def wrong_of_opd(self, opd: str) -> Iterator[str]:
        """Yield what is wrong with the breakdowns of one OPD."""
        released = breakdowns.steps_released(self.connection, [opd], date.max.replace(month=1))
        for breakdown in self._stored([opd]):
            steps = released.get((opd, breakdown.period), 0)
            if not 0 <= breakdown.steps <= steps:
                yield f"{_name(breakdown)}: it saw {breakdown.steps} steps of {steps}"
            yield from _faults(breakdown)
            if not is_safe(_people(breakdown), set(breakdown.withheld)):
                yield f"{_name(breakdown)}: what it withholds can be worked out"
            if breakdown.facet in FACETS:
                yield from self._wrong_cells(breakdown)

    def wrong_of_instansi(self) -> Iterator[str]:
        """Yield what is wrong with the breakdowns of the instansi, the sums of its OPDs'."""
        of_opds = [breakdown for breakdown in self._stored() if breakdown.opd != INSTANSI]
        for breakdown in self._stored([INSTANSI]):
            yield from _faults(breakdown)
            if breakdown.steps:
                yield f"{_name(breakdown)}: it saw {breakdown.steps} steps, and has none itself"
            key = breakdown.period, breakdown.facet
            members = [member for member in of_opds if (member.period, member.facet) == key]
            parts = {
                f"{member.opd}/{part}": values
                for member in members
                for part, values in member.parts.items()
            }
            if any(parts.get(part) != values for part, values in breakdown.parts.items()):
                yield f"{_name(breakdown)}: it has parts that no OPD has"
            elif parts == breakdown.parts and _sum(members) != _cells(breakdown):
                yield f"{_name(breakdown)}: its cells are not the sums of those of the OPDs"

    def _stored(self, opds: Sequence[str] | None = None) -> list[ReleasedBreakdown]:
        return breakdowns.read_breakdowns(self.connection, self.periods, opds)

    def _wrong_cells(self, breakdown: ReleasedBreakdown) -> Iterator[str]:
        people = self._covered(breakdown.opd, breakdown.period)
        if people is None or _by_bin(people[breakdown.facet].parts) != _by_bin(breakdown.parts):
            return
        computed = {key: _trimmed(cell) for key, cell in people[breakdown.facet].cells.items()}
        if computed != _cells(breakdown):
            yield f"{_name(breakdown)}: its cells are not what the day tallies give"

    def _covered(self, opd: str, name: str) -> Mapping[str, Covered] | None:
        triwulan = period(name)
        size, scope = self.registry.unsur_max, Scope(triwulan.first, triwulan.last)
        sums = tally_sums.by_month(self.connection, opd, size, scope)
        return covered(sums, bins.read(self.connection, [opd]).get(opd, {}), triwulan)


def _faults(breakdown: ReleasedBreakdown) -> Iterator[str]:
    """Yield what is wrong with a breakdown in itself."""
    if breakdown.facet not in FACETS:
        yield f"{_name(breakdown)}: there is no such facet"
    respondents: Counter[str] = Counter()
    for cell in breakdown.cells:
        respondents[cell.value] += cell.vector[0]
    members: Counter[str] = Counter()
    for values in breakdown.parts.values():
        members.update(values)
    if respondents != members:
        yield f"{_name(breakdown)}: cells have {dict(respondents)}, their parts {dict(members)}"
    if not set(breakdown.withheld) <= respondents.keys():
        yield f"{_name(breakdown)}: it withholds {breakdown.withheld}, which are no cells"
    if (breakdown.released_at is None) != (not breakdown.parts):
        yield f"{_name(breakdown)}: it has its time exactly when it has cells"


def _people(breakdown: ReleasedBreakdown) -> Mapping[tuple[object, object], int]:
    """Return the respondents by what is public of their part, and by value."""
    people: Counter[tuple[object, object]] = Counter()
    for part, values in breakdown.parts.items():
        # Parts that were pooled at one time have their public total together.
        added_with = part.partition("#")[2]
        public = added_with if added_with.endswith(_POOLED) else part
        for value, n in values.items():
            people[public, value] += n
    return people


def _by_bin(parts: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    by_bin: dict[str, Counter[str]] = {}
    for part, values in parts.items():
        by_bin.setdefault(part.partition("#")[0], Counter()).update(values)
    return by_bin


def _cells(breakdown: ReleasedBreakdown) -> Cells:
    return {(cell.value, cell.questionnaire): _trimmed(cell.vector) for cell in breakdown.cells}


def _sum(breakdowns_of_opds: Sequence[ReleasedBreakdown]) -> Cells:
    total: Cells = {}
    for breakdown in breakdowns_of_opds:
        for key, vector in _cells(breakdown).items():
            so_far = total.get(key, ())
            length = max(len(so_far), len(vector))
            total[key] = tuple(map(add, padded(so_far, length), padded(vector, length)))
    return {key: _trimmed(vector) for key, vector in total.items()}


def _trimmed(vector: Vector) -> Vector:
    """Return a vector without the zeros at its end: how many depends on other questionnaires."""
    length = max((index + 1 for index, number in enumerate(vector) if number), default=0)
    return tuple(vector[:length])


def _name(breakdown: ReleasedBreakdown) -> str:
    opd = "instansi" if breakdown.opd == INSTANSI else breakdown.opd
    return f"released_breakdown {opd}/{breakdown.period}/{breakdown.facet}"

"""Public breakdowns of closed triwulan: worked out when a day begins, replaced in whole steps.

An OPD's is made of what is released of its layanan-months, the instansi's of its OPDs'. All other
windows are sums of these: shared/domain/disclosure.py says which cells are withheld.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import add
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from services.aggregate.rolling.breakdowns.covered import FACETS, CellName, Covered, Parts, covered
from shared.domain.disclosure import People, may_be_added, withheld
from shared.domain.window import period as named_period
from shared.storage.released import bins, breakdowns
from shared.storage.released.breakdowns import ReleasedBreakdown, ReleasedCell
from shared.storage.rolling import INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, Vector, padded

_POOLED = "#pooled"


class _Addition(NamedTuple):
    """What a breakdown would get: parts, and their respondents as they can be told apart.

    `public`: the values that are shown anyway.
    """

    parts: Parts
    people: People
    public: Collection[object] = ()


def publish(
    connection: sa.Connection, opds: Sequence[str], size: int, closed_to: date, now: datetime
) -> None:
    """Work out the breakdowns of these OPDs in closed triwulan in which something was released."""
    released = breakdowns.steps_released(connection, opds, closed_to)
    seen = breakdowns.steps_seen(connection, opds)
    due: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (opd, period), steps in released.items():
        if seen.get((opd, period)) != steps:
            due[period][opd] = steps
    for period, steps_of_opds in sorted(due.items()):
        _publish_triwulan(connection, period, steps_of_opds, size, now)


def _publish_triwulan(
    connection: sa.Connection, period: str, due: Mapping[str, int], size: int, now: datetime
) -> None:
    triwulan = named_period(period)
    stored = {
        (breakdown.opd, breakdown.facet): breakdown
        for breakdown in breakdowns.read_breakdowns(connection, [period])
    }
    scope = Scope(triwulan.first, triwulan.last)
    released_bins = bins.read(connection, list(due), triwulan.first)
    written: dict[tuple[str, str], ReleasedBreakdown] = {}
    for opd, steps in due.items():
        sums = tally_sums.by_month(connection, opd, size, scope)
        people = covered(sums, released_bins.get(opd, {}), triwulan)
        for facet in FACETS:
            before = stored.get((opd, facet), ReleasedBreakdown(opd, period, facet, 0))
            after = before if people is None else of_opd(before, people[facet], steps, now)
            written[opd, facet] = msgspec.structs.replace(after, steps=steps)
    of_opds = {key: breakdown for key, breakdown in {**stored, **written}.items() if key[0]}
    for facet in FACETS:
        before = stored.get((INSTANSI, facet), ReleasedBreakdown(INSTANSI, period, facet, 0))
        parts = [breakdown for key, breakdown in of_opds.items() if key[1] == facet]
        written[INSTANSI, facet] = of_instansi(before, parts, now)
    breakdowns.replace_breakdowns(connection, written.values())


def of_opd(
    before: ReleasedBreakdown, people: Covered, steps: int, now: datetime
) -> ReleasedBreakdown:
    """Return the breakdown of an OPD when it covers these people; the old one if that must stay."""
    # What is added later is a part of its own: whoever kept the old breakdown knows its total.
    added = {
        f"{name}#{steps}{_POOLED if name in people.pooled else ''}": values
        for name, values in _added(before, people).items()
    }
    table: Counter[tuple[object, object]] = Counter()
    for part, values in added.items():
        for value, n in values.items():
            table[_public_part(before.opd, part), value] += n
    return _replaced(before, _Addition(added, table), people.cells, now)


def of_instansi(
    before: ReleasedBreakdown, of_opds: Iterable[ReleasedBreakdown], now: datetime
) -> ReleasedBreakdown:
    """Return the breakdown of the instansi, the sum of its OPDs'; the old one if that must stay."""
    added: dict[str, Mapping[str, int]] = {}
    table: Counter[tuple[object, object]] = Counter()
    cells: dict[CellName, Vector] = {}
    public: set[object] = set()
    for breakdown in of_opds:
        opd = breakdown.opd
        for cell in breakdown.cells:
            _add(cells, (cell.value, cell.questionnaire), cell.vector)
        for part, values in breakdown.parts.items():
            if f"{opd}/{part}" in before.parts:
                continue
            added[f"{opd}/{part}"] = values
            for value, n in values.items():
                # An OPD's cell that is shown is known by itself: only the others are one here.
                is_shown = value not in breakdown.withheld
                table[_public_part(opd, part), (opd, value) if is_shown else value] += n
                public |= {(opd, value)} if is_shown else set()
    return _replaced(before, _Addition(added, table, public), cells, now)


def _replaced(
    before: ReleasedBreakdown, added: _Addition, cells: Mapping[CellName, Vector], now: datetime
) -> ReleasedBreakdown:
    """Return the breakdown with what would be added; the old one if that may not be."""
    if not added.parts or min(added.people.values()) < 0:
        return before
    if not before.parts:
        hidden = {str(value) for value in withheld(added.people, added.public)}
    elif may_be_added(added.people, before.withheld):
        hidden = set(before.withheld)
    else:
        return before
    return msgspec.structs.replace(
        before,
        withheld=sorted(hidden),
        parts={**before.parts, **added.parts},
        cells=[
            ReleasedCell(value, questionnaire, vector)
            for (value, questionnaire), vector in sorted(cells.items())
        ],
        released_at=now,
    )


def _added(before: ReleasedBreakdown, people: Covered) -> Parts:
    """Return what is not in the old breakdown, by bin; below zero is what only that has."""
    old: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for part, values in before.parts.items():
        old[part.partition("#")[0]].update(values)
    added: dict[str, Mapping[str, int]] = {}
    for name in sorted(old.keys() | people.parts.keys()):
        difference = Counter(people.parts.get(name, {}))
        difference.subtract(old[name])
        if any(difference.values()):
            added[name] = {value: n for value, n in difference.items() if n}
    return added


def _public_part(opd: str, part: str) -> tuple[str, str]:
    """Return what the part has its public total with: itself, or all of that time's pools."""
    _, _, added_with = part.partition("#")
    return opd, added_with if added_with.endswith(_POOLED) else part


def _add(cells: dict[CellName, Vector], name: CellName, vector: Vector) -> None:
    """Add to a cell; of two vectors the longer one has the questionnaires that came later."""
    so_far = cells.get(name, ())
    length = max(len(so_far), len(vector))
    cells[name] = tuple(map(add, padded(so_far, length), padded(vector, length)))

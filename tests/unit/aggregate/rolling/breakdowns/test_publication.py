"""Public breakdowns: of all that was ever published, nothing small can be worked out."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from services.aggregate.rolling.breakdowns.covered import Covered
from services.aggregate.rolling.breakdowns.publication import of_instansi, of_opd
from shared.domain.disclosure import FEWEST
from shared.storage.released.breakdowns import ReleasedBreakdown
from shared.storage.rolling import INSTANSI
from tests.attacker import small_groups_worked_out

NOW = datetime(2026, 4, 8, tzinfo=UTC)
OPDS, BINS, VALUES, PERIOD = (
    ("dinkes", "dukcapil"),
    ("2026-01/a/q", "2026-02/a/q"),
    "LP-",
    "2026-Q1",
)
Who = tuple[str, str, str, int]  # OPD, bin, value, and when they came
Arrival = tuple[str, Mapping[tuple[str, str], int], bool]

arrivals = st.lists(
    st.tuples(
        st.sampled_from(OPDS),
        st.dictionaries(
            st.tuples(st.sampled_from(BINS), st.sampled_from(VALUES)), st.integers(1, 7), max_size=6
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


class Publisher:
    """One triwulan of two OPDs and their instansi: what is published as responses come in."""

    def __init__(self) -> None:
        self.people: dict[Who, int] = {}
        self.pooled: set[tuple[str, str]] = set()
        self.members: dict[tuple[str, str], set[Who]] = {}  # of each part of an OPD
        self.numbers: list[set[Who]] = []  # all that was ever public
        self.shown = {
            owner: ReleasedBreakdown(owner, PERIOD, "sex", 0) for owner in (*OPDS, INSTANSI)
        }

    def arrive(self, turn: int, opd: str, cells: Mapping[tuple[str, str], int]) -> None:
        """Some come to an OPD, at least five to a bin; what may be published now is."""
        sizes: Counter[str] = Counter()
        for (bin_name, _), n in cells.items():
            sizes[bin_name] += n
        for (bin_name, value), n in cells.items():
            if sizes[bin_name] >= FEWEST:
                self.people[opd, bin_name, value, turn] = n
        before, covered = self.shown[opd], self.covered(opd)
        after = self.shown[opd] = of_opd(before, covered, turn + 1, NOW)
        for part in after.parts.keys() - before.parts.keys():
            older = set().union(*self.members.values())
            mine = {who for who in self.people if f"{who[1]}#" in part and who[0] == opd}
            self.members[opd, part] = mine - older
        self.shown[INSTANSI] = of_instansi(
            self.shown[INSTANSI], [self.shown[code] for code in OPDS], NOW
        )
        self.note()

    def covered(self, opd: str) -> Covered:
        """Everybody of an OPD."""
        parts: dict[str, Counter[str]] = {}
        for (code, bin_name, value, _), n in self.people.items():
            if code == opd:
                parts.setdefault(bin_name, Counter())[value] += n
        cells: Counter[tuple[str, str]] = Counter()
        for values in parts.values():
            for value, n in values.items():
                cells[value, "q"] += n
        vectors = {cell: (n, 0, 0, 0) for cell, n in cells.items()}
        return Covered(parts, vectors, {name for code, name in self.pooled if code == opd})

    def note(self) -> None:
        """Note what is public now: cells, and totals of parts."""
        pools: dict[tuple[str, str], set[Who]] = {}
        for (opd, part), members in self.members.items():
            _, _, added_with = part.partition("#")
            name = added_with if added_with.endswith("#pooled") else part
            pools.setdefault((opd, name), set()).update(members)
        self.numbers += pools.values()
        for owner, breakdown in self.shown.items():
            whole = {
                who
                for (opd, part), members in self.members.items()
                for who in members
                if (f"{opd}/{part}" if owner == INSTANSI else part) in breakdown.parts
                and owner in {opd, INSTANSI}
            }
            for cell in breakdown.cells:
                group = {who for who in whole if who[2] == cell.value}
                assert sum(self.people[who] for who in group) == cell.vector[0]
                if cell.value not in breakdown.withheld:
                    self.numbers.append(group)


@settings(deadline=None)
@given(arrivals)
def test_nothing_small_can_be_worked_out_of_all_that_was_ever_published(
    events: list[Arrival],
) -> None:
    """Old breakdowns and new ones, of two OPDs and of the instansi, and every released total."""
    publisher = Publisher()
    for turn, (opd, cells, is_pooled) in enumerate(events):
        if is_pooled:
            publisher.pooled |= {(opd, bin_name) for bin_name, _ in cells}
        publisher.arrive(turn, opd, cells)
    assert not list(small_groups_worked_out(publisher.people, publisher.numbers))

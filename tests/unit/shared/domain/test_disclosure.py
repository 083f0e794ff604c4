"""Which cells of a breakdown are withheld: judged by who may add and subtract all of it."""

import random
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from operator import mul
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.disclosure import FEWEST, Cell, People, is_safe, may_be_added, withheld

PARTS, VALUES = "pqr", "abcd"
PRIME = 2**61 - 1
Cells = Mapping[Any, int]  # indivisible groups of people
Numbers = Sequence[Collection[Hashable]]  # each public number: the groups that it is the sum of

tables = st.dictionaries(
    st.tuples(st.sampled_from(PARTS), st.sampled_from(VALUES)), st.integers(0, 9), max_size=10
)


def independent(rows: Sequence[list[int]]) -> dict[int, list[int]]:
    """As few rows that say the same (Gauss and Jordan), by the column that each has to itself."""
    reduced: dict[int, list[int]] = {}
    for row in rows:
        for pivot, other in reduced.items():
            row = without(row, other, pivot)  # noqa: PLW2901 (the row, taken further apart)
        if any(row):
            pivot = next(column for column, number in enumerate(row) if number)
            inverse = pow(row[pivot], -1, PRIME)
            row = [number * inverse % PRIME for number in row]  # noqa: PLW2901 (the same row)
            reduced = {column: without(other, row, pivot) for column, other in reduced.items()}
            reduced[pivot] = row
    return reduced


def without(row: list[int], other: list[int], pivot: int) -> list[int]:
    """The row less so much of the other that nothing is left in this column."""
    factor = row[pivot]
    return [(a - factor * b) % PRIME for a, b in zip(row, other, strict=True)] if factor else row


def small_groups_worked_out(cells: Cells, numbers: Numbers) -> Iterator[tuple[Hashable, ...]]:
    """Every group of one to four people whose tally is some sum and difference of the numbers.

    Change the cells at random so that no public number changes: a group that can be worked out does
    not change either, and any other group does, unless chance (one in PRIME) will have it.
    """
    names = [name for name, n in cells.items() if n]
    rows = independent([[int(name in number) for name in names] for number in numbers])
    chance = random.Random(1)
    change = [0 if column in rows else chance.randrange(PRIME) for column in range(len(names))]
    for pivot, row in rows.items():
        change[pivot] = -sum(map(mul, row, change)) % PRIME
    small = [(name, cells[name], z) for name, z in zip(names, change, strict=True)]
    small = [cell for cell in small if cell[1] < FEWEST]
    for size in range(1, FEWEST):
        for group in combinations(small, size):
            if sum(n for _, n, _ in group) < FEWEST and not sum(z for *_, z in group) % PRIME:
                yield tuple(name for name, *_ in group)


def public_numbers(people: People, hidden: Collection[Hashable]) -> list[list[Hashable]]:
    """The totals of the parts, and the cells that are shown."""
    parts: defaultdict[Hashable, list[Hashable]] = defaultdict(list)
    shown: defaultdict[Hashable, list[Hashable]] = defaultdict(list)
    for part, value in people:
        parts[part].append((part, value))
        if value not in hidden:
            shown[value].append((part, value))
    return [*parts.values(), *shown.values()]


@pytest.mark.parametrize(
    ("people", "hidden"),
    [
        ({}, ""),
        ({"a": 5, "b": 9}, ""),
        ({"a": 4, "b": 9, "c": 7}, "ac"),
        ({"a": 4, "b": 4, "c": 7}, "ab"),
        ({"a": 1, "b": 2, "c": 7, "d": 8}, "abc"),
        ({"a": 0, "b": 9}, ""),
        ({"a": 0, "b": 4, "c": 9, "d": 10}, "bc"),
        ({"a": 3}, "a"),
    ],
)
def test_a_small_cell_is_withheld_with_the_next_smallest(
    people: Mapping[str, int], hidden: str
) -> None:
    assert withheld({("", value): n for value, n in people.items()}) == set(hidden)


def test_what_a_part_holds_beyond_a_cell_that_lies_in_it_is_not_small() -> None:
    """The two at layanan p who did not come by channel b are p's total without b's cell."""
    people: People = {("p", "a"): 2, ("p", "b"): 8, ("q", "a"): 20, ("q", "c"): 6}
    assert not is_safe(people, ())
    assert list(small_groups_worked_out(people, public_numbers(people, ())))
    hidden = withheld(people)
    assert hidden == {"b", "c"}
    assert not list(small_groups_worked_out(people, public_numbers(people, hidden)))


@given(tables, st.sets(st.sampled_from(VALUES)))
def test_safe_is_what_no_attacker_can_take_apart(people: People, hidden: set[str]) -> None:
    worked_out = list(small_groups_worked_out(people, public_numbers(people, hidden)))
    assert is_safe(people, hidden) == (not worked_out)


@given(tables)
def test_nothing_small_can_be_worked_out_of_what_is_shown(people: People) -> None:
    totals: defaultdict[Hashable, int] = defaultdict(int)
    for (part, _), n in people.items():
        totals[part] += n
    released = {cell: n for cell, n in people.items() if totals[cell[0]] >= FEWEST}
    hidden = withheld(released)
    assert not list(small_groups_worked_out(released, public_numbers(released, hidden)))


Counts = dict[tuple[str, str], int]
Who = tuple[str, str, str, int]
Parts = Mapping[Hashable, set[Who]]
OPDS = "AB"


class Shown(NamedTuple):
    """A breakdown that is public."""

    parts: Parts
    hidden: frozenset[Hashable]


arrivals = st.lists(
    st.tuples(
        st.sampled_from(OPDS),
        st.dictionaries(
            st.tuples(st.sampled_from("pq"), st.sampled_from("abc")), st.integers(1, 7), max_size=6
        ),
    ),
    min_size=1,
    max_size=4,
)


class Publisher:
    """One triwulan of two OPDs and their instansi: what is published as responses come in.

    `people` are told apart by OPD, part, value and the turn in which they came.
    """

    def __init__(self) -> None:
        self.people: dict[Who, int] = {}
        self.numbers: list[set[Who]] = []  # all that was ever public
        self.shown: dict[str, Shown] = {}

    def arrive(self, turn: int, opd: str, cells: Counts) -> None:
        """Some come to an OPD; what may be published now is."""
        sizes = {part: 0 for part, _ in cells}
        for (part, _), n in cells.items():
            sizes[part] += n
        came = {cell: n for cell, n in cells.items() if sizes[cell[0]] >= FEWEST}  # were released
        self.people.update({(opd, *cell, turn): n for cell, n in came.items()})
        old = set().union(*self.shown[opd].parts.values()) if opd in self.shown else set()
        added: defaultdict[Hashable, set[Who]] = defaultdict(set)
        for who in self.people:
            if who[0] == opd and who not in old:
                added[opd, who[1], turn].add(who)
        if self.publish(opd, added):
            self.numbers.extend(added.values())  # the totals of what was released
        of_opds = {part: who for code in OPDS for part, who in self.parts(code).items()}
        self.publish("", {part: who for part, who in of_opds.items() if part not in self.parts("")})

    def parts(self, owner: str) -> Parts:
        """What is published of an OPD or of both."""
        return self.shown[owner].parts if owner in self.shown else {}

    def publish(self, owner: str, added: Parts) -> bool:
        """Publish a breakdown with these people too, unless what there is has to stay."""
        people = self.table(owner, added)
        if not self.parts(owner):
            public = {value for _, value in people if isinstance(value, tuple)}
            hidden = withheld(people, public)
        else:
            hidden = self.shown[owner].hidden
            if not may_be_added(people, hidden):
                return False
        parts = {**self.parts(owner), **added}
        self.shown[owner] = Shown(parts, hidden)
        whole = set().union(*parts.values())
        for value in "abc":
            if value not in hidden:
                self.numbers.append({who for who in whole if who[2] == value})
        return True

    def table(self, owner: str, parts: Parts) -> Mapping[Cell, int]:
        """How many of these people are in each part and of each value.

        Those of an OPD's cell that is shown are a value of their own in the breakdown of both.
        """
        people: defaultdict[Cell, int] = defaultdict(int)
        for part, whole in parts.items():
            for who in whole:
                opd, _, value, _ = who
                is_shown = owner == "" and value not in self.shown[opd].hidden
                people[part, (opd, value) if is_shown else value] += self.people[who]
        return people


@given(arrivals)
def test_nothing_small_can_be_worked_out_of_all_that_was_ever_shown(
    events: list[tuple[str, Counts]],
) -> None:
    """Old breakdowns and new ones, of two OPDs and of both together, and every release step."""
    publisher = Publisher()
    for turn, (opd, cells) in enumerate(events):
        publisher.arrive(turn, opd, cells)
    assert not list(small_groups_worked_out(publisher.people, publisher.numbers))

"""Which cells of a breakdown are withheld: judged by who may add and subtract all of it."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.disclosure import FEWEST, People, is_safe, may_be_added, withheld
from tests.attacker import small_groups_worked_out

PARTS, VALUES = "pqr", "abcd"

tables = st.dictionaries(
    st.tuples(st.sampled_from(PARTS), st.sampled_from(VALUES)), st.integers(0, 9), max_size=10
)


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


@pytest.mark.parametrize(
    ("changes", "hidden", "is_allowed"),
    [
        ({("p", "a"): 5, ("p", "b"): 7}, "", True),
        ({("p", "a"): 5, ("p", "b"): 4}, "", False),
        ({("p", "a"): 5, ("p", "b"): 4}, "b", False),
        ({("p", "a"): 5, ("q", "b"): 5}, "b", True),
        ({("p", "a"): 5, ("p", "b"): 1, ("q", "b"): 9}, "", False),
        ({}, "", True),
    ],
)
def test_nobody_or_five_are_added_to_a_cell(changes: People, hidden: str, is_allowed: bool) -> None:
    assert may_be_added(changes, hidden) == is_allowed

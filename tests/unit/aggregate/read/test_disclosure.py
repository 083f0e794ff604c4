"""Which cells of a breakdown are withheld."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.read.figures.disclosure import FEWEST, withheld


@pytest.mark.parametrize(
    ("respondents", "hidden"),
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
def test_examples(respondents: dict[str, int], hidden: str) -> None:
    assert withheld(respondents) == set(hidden)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12)))
def test_nothing_small_can_be_worked_out(respondents: dict[str, int]) -> None:
    hidden = withheld(respondents)
    people = {value: n for value, n in respondents.items() if n}
    assert {value for value, n in people.items() if n < FEWEST} <= hidden
    assert (
        not hidden
        or hidden == set(people)
        or (len(hidden) > 1 and sum(people[v] for v in hidden) >= FEWEST)
    )

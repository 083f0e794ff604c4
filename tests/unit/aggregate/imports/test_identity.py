"""What a row is known by: content and occurrence, the same in every batch size."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.imports.identity import Occurrences, digest_of, source_ids


def numbers(rows: list[str], size: int) -> list[int]:
    occurrences = Occurrences()
    digests = [digest_of([row]) for row in rows]
    return [
        number
        for start in range(0, len(rows), size)
        for number in occurrences.number(digests[start : start + size])
    ]


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.integers(1, 61))
def test_a_row_is_numbered_by_how_many_equal_ones_came_before(rows: list[str], size: int) -> None:
    expected = [rows[:index].count(row) for index, row in enumerate(rows)]
    assert numbers(rows, size) == expected


@pytest.mark.parametrize(
    ("cells", "others"), [(["a", "b"], ["ab", ""]), (["a", ""], ["", "a"]), (["1"], ["2"])]
)
def test_other_cells_are_another_row(cells: list[str], others: list[str]) -> None:
    assert digest_of(cells) != digest_of(others)


def test_empty_cells_at_the_end_and_the_kind_of_file_change_nothing() -> None:
    assert digest_of(["4", "S1", "", ""]) == digest_of(["4", "S1"]) == digest_of([4, "S1", ""])
    moment = datetime(2026, 5, 4, 9, 12)  # noqa: DTZ001 (as a spreadsheet holds it)
    assert digest_of([moment]) == digest_of(["2026-05-04T09:12:00"])


def test_what_was_imported_before_keeps_its_ids() -> None:
    digest = digest_of(["1", "L", "S1", "443444433", "Cepat dan ramah"])
    assert source_ids([digest], [2]) == ["47fe35a20cdceba88425e28110210b68-2"]

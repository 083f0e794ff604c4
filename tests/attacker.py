"""Who adds and subtracts public numbers in every way, to find a few people among them."""

import random
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from operator import mul
from typing import Any

from shared.domain.disclosure import FEWEST

PRIME = 2**61 - 1
Cells = Mapping[Any, int]  # groups of people, and how many are in each
Numbers = Sequence[Collection[Hashable]]  # each public number: the groups that it is the sum of


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

import csv
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidPopulation
from shared.domain.sampling import krejcie_morgan
from tests.unit.shared.domain.answers import GOLDEN

with (GOLDEN / "krejcie-morgan.csv").open(encoding="utf-8", newline="") as file:
    TABLE = [(int(row["population"]), int(row["sample"])) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("population", "sample"), TABLE)
def test_the_formula_reproduces_the_published_table(population: int, sample: int) -> None:
    assert krejcie_morgan(population) == sample


def test_rounding_up_would_miss_the_published_table() -> None:
    formula = (ceil(3.841 * n * 0.25 / (0.0025 * (n - 1) + 3.841 * 0.25)) for n, _ in TABLE)
    assert (
        sum(rounded_up != sample for rounded_up, (_, sample) in zip(formula, TABLE, strict=True))
        > len(TABLE) // 3
    )


@given(st.integers(0, 10**9))
def test_a_sample_is_never_larger_than_its_population_nor_than_384(population: int) -> None:
    assert 0 <= krejcie_morgan(population) <= min(population, 384)


@given(st.integers(0, 10**6))
def test_a_larger_population_never_needs_fewer_respondents(population: int) -> None:
    assert krejcie_morgan(population) <= krejcie_morgan(population + 1)


def test_nobody_needs_no_sample_and_one_user_is_the_sample() -> None:
    assert (krejcie_morgan(0), krejcie_morgan(1)) == (0, 1)


def test_a_negative_number_of_users_is_refused() -> None:
    with pytest.raises(InvalidPopulation, match="-1"):
        krejcie_morgan(-1)

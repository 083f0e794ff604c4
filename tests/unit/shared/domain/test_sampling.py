import csv
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidPopulation
from shared.domain.sampling import krejcie_morgan, required_per_layanan
from tests.unit.shared.domain.answers import GOLDEN

with (GOLDEN / "krejcie-morgan.csv").open(encoding="utf-8", newline="") as file:
    TABLE = [(int(row["population"]), int(row["sample"])) for row in csv.DictReader(file)]

users = st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 100_000), max_size=8)


@pytest.mark.parametrize(("population", "sample"), TABLE)
def test_the_formula_reproduces_the_published_table(population: int, sample: int) -> None:
    assert krejcie_morgan(population) == sample


def test_rounding_up_would_miss_the_published_table() -> None:
    formula = (ceil(3.841 * n * 0.25 / (0.0025 * (n - 1) + 3.841 * 0.25)) for n, _ in TABLE)
    assert (
        sum(found != sample for found, (_, sample) in zip(formula, TABLE, strict=True))
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


@given(users)
def test_the_parts_of_a_sample_sum_to_it_and_fit_their_services(users: dict[str, int]) -> None:
    population = sum(users.values())
    parts = required_per_layanan(users)
    assert list(parts) == list(users)
    assert sum(parts.values()) == krejcie_morgan(population)
    for code, part in parts.items():
        assert part <= users[code]
        assert abs(part * population - krejcie_morgan(population) * users[code]) < max(
            population, 1
        )


def test_a_sample_is_split_in_proportion_to_the_users() -> None:
    assert krejcie_morgan(16_000) == 375
    assert required_per_layanan({"ktp-el": 12_000, "kia": 3_000, "akta": 1_000}) == {
        "ktp-el": 281,
        "kia": 70,
        "akta": 24,
    }


def test_equal_services_share_the_odd_respondent_in_the_order_of_their_codes() -> None:
    assert required_per_layanan({"b": 5, "a": 5, "c": 5}) == {"b": 5, "a": 5, "c": 4}


def test_services_without_users_need_nobody() -> None:
    assert required_per_layanan({}) == {}
    assert required_per_layanan({"a": 0, "b": 0}) == {"a": 0, "b": 0}


def test_a_negative_number_of_users_is_refused() -> None:
    with pytest.raises(InvalidPopulation, match="-1"):
        krejcie_morgan(-1)
    with pytest.raises(InvalidPopulation, match="-1"):
        required_per_layanan({"a": 5, "b": -1})

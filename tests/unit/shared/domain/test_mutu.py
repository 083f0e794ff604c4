from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mutu import MUTU, mutu
from shared.domain.rounding import half_up, root

hundredths = st.integers(2475, 10000).map(lambda n: Decimal(n) / 100)


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        ("100.00", "A"),
        ("88.31", "A"),
        ("88.30", "B"),
        ("76.61", "B"),
        ("76.60", "C"),
        ("65.00", "C"),
        ("64.99", "D"),
        ("25.00", "D"),
        ("24.75", "D"),
    ],
)
def test_the_letter_is_chosen_by_the_lower_bounds(value: str, letter: str) -> None:
    assert mutu(Decimal(value)).letter == letter


@pytest.mark.parametrize(
    ("value", "letter"),
    [("88.304999", "B"), ("88.305", "A"), ("76.605", "B"), ("64.9949", "D"), ("64.995", "C")],
)
def test_a_value_that_is_not_yet_rounded_falls_into_no_hole(value: str, letter: str) -> None:
    assert mutu(Decimal(value)).letter == letter


def test_the_words_of_the_letters_are_those_of_the_regulation() -> None:
    words = [(band.letter, band.kinerja) for band in MUTU]
    assert words == [("A", "Sangat Baik"), ("B", "Baik"), ("C", "Kurang Baik"), ("D", "Tidak Baik")]


@given(hundredths, hundredths)
def test_a_higher_index_never_has_a_worse_letter(first: Decimal, other: Decimal) -> None:
    low, high = sorted([first, other])
    assert MUTU.index(mutu(high)) <= MUTU.index(mutu(low))


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (Fraction(88305, 1000), 2, "88.31"),
        (Fraction(88304, 1000), 2, "88.30"),
        (Fraction(1, 2), 0, "1"),
        (Fraction(5, 2), 0, "3"),
        (Fraction(-5, 2), 0, "-3"),
        (Fraction(-1, 1000), 2, "0.00"),
        (Fraction(100), 2, "100.00"),
        (Fraction(1, 9), 3, "0.111"),
        (Fraction(1, 9), 2, "0.11"),
        (Fraction(0), 2, "0.00"),
    ],
)
def test_a_tie_is_rounded_up_and_trailing_zeros_are_kept(
    value: Fraction, places: int, rounded: str
) -> None:
    assert str(half_up(value, places)) == rounded


@given(st.decimals(-1000, 1000, places=6), st.integers(0, 5))
def test_half_up_is_decimals_own_half_up_where_decimal_is_exact(
    value: Decimal, places: int
) -> None:
    expected = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert half_up(Fraction(value), places) == expected


@given(st.fractions(), st.integers(0, 6))
def test_half_up_moves_a_value_by_at_most_half_a_unit(value: Fraction, places: int) -> None:
    assert abs(Fraction(half_up(value, places)) - value) <= Fraction(1, 2 * 10**places)


def test_rounding_does_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext(Context(prec=3)):
        assert half_up(Fraction(88305, 1000), 2) == Decimal("88.31")
        assert mutu(Decimal("88.305")).letter == "A"


@given(st.fractions(0, 10**6))
def test_the_root_of_a_square_is_exact(value: Fraction) -> None:
    assert root(value * value).fraction() == value


@given(st.fractions(0, 10**6))
def test_a_root_is_cut_off_beyond_twenty_decimals(value: Fraction) -> None:
    nearest = root(value).fraction()
    assert nearest * nearest <= value < (nearest + Fraction(1, 10**20)) ** 2

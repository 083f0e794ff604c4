"""Summaries: the published numbers, their exact integer forms, and the merge of different questionnaires."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.rolling import population
from services.aggregate.rolling.merging import merge
from services.aggregate.rolling.rolling_rows import encode
from services.aggregate.rolling.summary import Summary, headline, summarise
from shared.domain import ikm as domain
from shared.domain.errors import TallyMismatch
from shared.domain.mutu import mutu
from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from shared.domain.rounding import half_up
from shared.domain.tally import Tally
from tests.builders import tally_of
from tests.unit.shared.domain import by_fractions

OPTIONS = ("1", "2", "3", "4")


def questionnaire(code: str, **weights: int) -> Questionnaire:
    return Questionnaire(
        code,
        code,
        tuple(Unsur(k.upper(), k, k, "?", OPTIONS, False, w) for k, w in weights.items()),
    )


def tally(used: Questionnaire, *responses: str) -> Tally:
    total = Tally.zero(used.size)
    for response in responses:
        total += tally_of(
            [None if digit == "-" else int(digit) for digit in response], used.weights
        )
    return total


def summary(*responses: str, population: int | None = None, scheme: str = "exact") -> Summary:
    return summarise(SKM_2017, tally(SKM_2017, *responses), population, domain.SCHEMES[scheme])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Questionnaire, Tally]:
    weights = draw(st.lists(st.integers(1, 7), min_size=1, max_size=10))
    used = Questionnaire(
        "q",
        "q",
        tuple(Unsur(f"U{i}", f"k{i}", "n", "?", OPTIONS, False, w) for i, w in enumerate(weights)),
    )
    score = st.sampled_from([None, 1, 2, 3, 4, 4, 3])
    responses = draw(
        st.lists(st.lists(score, min_size=len(weights), max_size=len(weights)), max_size=12)
    )
    total = Tally.zero(used.size)
    for response in responses:
        total += tally_of(response, used.weights)
    return used, total


def test_one_respondent_of_the_regulations_example() -> None:
    found = summary("443444433")
    assert (found.respondents, found.ikm, found.mutu, found.kinerja) == (
        1,
        Decimal("91.67"),
        "A",
        "Sangat Baik",
    )
    assert found.comparison == {"0.11": Decimal("90.75"), "0.111": Decimal("91.58")}
    assert found.ci95 is None
    assert [unsur.nrr for unsur in found.unsur][:3] == [
        Decimal("4.000"),
        Decimal("4.000"),
        Decimal("3.000"),
    ]
    assert (found.unsur[2].ikm, found.unsur[2].mutu, found.unsur[2].answered) == (
        Decimal("75.00"),
        "C",
        1,
    )


def test_nobody_has_no_index_rather_than_zero() -> None:
    found = summary()
    assert (found.respondents, found.ikm, found.mutu, found.kinerja, found.ci95) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert found.comparison == {"0.11": None, "0.111": None}
    assert {(unsur.nrr, unsur.ikm, unsur.mutu, unsur.answered) for unsur in found.unsur} == {
        (None, None, None, 0)
    }


def test_numbers_are_written_with_their_decimals() -> None:
    written = json.loads(
        encode(summary("444444444", "444444444", population=12000)), parse_float=str
    )
    assert written["ikm"] == "100.00"
    assert written["ci95"] == ["100.00", "100.00"]
    assert written["comparison"] == {"0.11": "99.00", "0.111": "99.90"}
    assert written["unsur"][0]["nrr"] == "4.000"
    assert written["sample"] == {"population": 12000, "required": 372, "achieved": 2}


def test_the_other_schemes_are_compared_with_the_published_one() -> None:
    found = summary("444444444", scheme="0.11")
    assert (found.scheme, found.ikm) == ("0.11", Decimal("99.00"))
    assert found.comparison == {"0.111": Decimal("99.90"), "exact": Decimal("100.00")}


def with_totals(respondents: int, totals: Sequence[int]) -> Tally:
    """A tally of any answers with these totals per unsur."""
    counts: list[int] = []
    for total in totals:
        scores = [1] * respondents
        for raised in range(total - respondents):
            scores[raised % respondents] += 1
        counts += [scores.count(score) for score in (1, 2, 3, 4)]
    return Tally(respondents, tuple(counts), 0, 0, 0)


@pytest.mark.parametrize(
    ("respondents", "total", "ikm", "letter"),
    [
        (19, 604, "88.30", "B"),
        (43, 1367, "88.31", "A"),
        (26, 717, "76.60", "C"),
        (19, 524, "76.61", "B"),
        (5, 117, "65.00", "C"),
    ],
)
def test_the_holes_of_the_printed_bands(
    respondents: int, total: int, ikm: str, letter: str
) -> None:
    totals = [total // 9 + (u < total % 9) for u in range(9)]
    found = summarise(SKM_2017, with_totals(respondents, totals), None, domain.EXACT)
    assert (found.ikm, found.mutu) == (Decimal(ikm), letter)


def test_gaspul_as_published() -> None:
    data = json.loads(
        (Path(__file__).parents[3] / "golden/regulation/gaspul-tw3.json").read_text(
            encoding="utf-8"
        )
    )
    totals = with_totals(data["respondents"], list(data["totals"].values()))
    found = summarise(SKM_2017, totals, None, domain.EXACT)
    assert (str(found.ikm), found.mutu, str(found.comparison["0.11"])) == ("91.48", "A", "90.56")


@given(
    cases(),
    st.sampled_from(list(domain.SCHEMES.values())),
    st.one_of(st.none(), st.integers(0, 40)),
)
def test_integer_figures_equal_those_by_fractions(
    case: tuple[Questionnaire, Tally], scheme: domain.WeightScheme, population: int | None
) -> None:
    used, total = case
    exact = by_fractions.ikm(total, used, scheme)
    assert domain.ikm(total, used, scheme) == exact
    found = summarise(used, total, population, scheme)
    assert found.ikm == (None if exact is None else half_up(exact, 2))
    assert found.mutu == (None if exact is None else mutu(half_up(exact, 2)).letter)
    assert found.ci95 == by_fractions.ci95(total, used, population)
    for u, unsur in enumerate(found.unsur):
        nrr, ikm = by_fractions.nrr(total, u), by_fractions.unsur_ikm(total, u)
        assert unsur.answered == total.answered[u]
        assert unsur.nrr == (None if nrr is None else half_up(nrr, 3))
        assert unsur.ikm == (None if ikm is None else half_up(ikm, 2))
    assert headline(used, total, scheme) == (found.respondents, found.ikm, found.mutu)


def test_versions_with_the_same_unsur_and_weights_merge_into_the_sum() -> None:
    newer = replace(SKM_2017, code="skm-2017b")
    merged, total = merge(
        [(SKM_2017, tally(SKM_2017, "443444433")), (newer, tally(newer, "333333333", "222222222"))]
    )
    assert merged.code == "skm-2017b"
    assert merged.weights == SKM_2017.weights
    assert total == tally(SKM_2017, "443444433", "333333333", "222222222")


def test_unsur_are_merged_by_key_and_not_by_position() -> None:
    one, other = questionnaire("one", a=1, b=1), questionnaire("other", b=1, a=1)
    merged, total = merge([(one, tally(one, "41", "41")), (other, tally(other, "14"))])
    assert [unsur.key for unsur in merged.unsur] == ["a", "b"]
    assert by_fractions.nrr(total, 0) == 4
    assert by_fractions.nrr(total, 1) == 1


def test_an_unsur_that_only_others_were_asked_is_kept_with_its_own_answers() -> None:
    short, long = questionnaire("short", a=1, b=1), questionnaire("long", a=1, b=1, c=2)
    merged, total = merge([(short, tally(short, "44", "44")), (long, tally(long, "221"))])
    assert [unsur.key for unsur in merged.unsur] == ["a", "b", "c"]
    assert total.answered == (3, 3, 1)
    # 25 x (10/3 x 1/4 + 10/3 x 1/4 + 1 x 2/4)
    assert domain.ikm(total, merged) == Fraction(25) * (
        Fraction(10, 3) * Fraction(1, 2) + Fraction(1, 2)
    )


def test_the_spread_of_merged_respondents_is_that_of_their_own_indices() -> None:
    short, long = questionnaire("short", a=1, b=1), questionnaire("long", a=1, b=1, c=1)
    merged, total = merge([(short, tally(short, "44", "22")), (long, tally(long, "333"))])
    # 100, 50 and 75 whatever the questionnaire: mean square distance 25 squared
    assert Fraction(total.total, merged.total_weight) * 25 == 225
    assert Fraction(total.total_sq, merged.total_weight**2) * 625 == 100**2 + 50**2 + 75**2


def test_two_unsur_under_one_code_stay_apart() -> None:
    one = Questionnaire("one", "one", (Unsur("U1", "a", "A", "?", OPTIONS),))
    other = Questionnaire("other", "other", (Unsur("U1", "b", "B", "?", OPTIONS),))
    merged, _ = merge([(one, tally(one, "4")), (other, tally(other, "1"))])
    assert [(unsur.code, unsur.key) for unsur in merged.unsur] == [("U1", "a"), ("b", "b")]


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(TallyMismatch):
        merge([])


@given(cases())
def test_merging_with_nobody_changes_nothing(case: tuple[Questionnaire, Tally]) -> None:
    used, total = case
    twin = replace(used, code="z")
    merged, together = merge([(used, total), (twin, Tally.zero(used.size))])
    assert (merged.weights, together) == (used.weights, total)


@pytest.mark.parametrize(
    ("users", "expected"),
    [([], None), ([100, 200], 300), ([100, None], None), ([None], None), ([0], 0)],
)
def test_a_population_is_known_when_each_part_is(
    users: list[int | None], expected: int | None
) -> None:
    assert population.together(users) == expected

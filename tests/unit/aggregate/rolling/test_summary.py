"""Summaries: the published numbers, and that they are those of the regulation in fractions."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.rolling.rolling_rows import encode
from services.aggregate.rolling.summary import Summary, headline, summarise
from shared.domain import ikm as domain
from shared.domain.mutu import mutu
from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.rounding import half_up
from shared.domain.tally import Tally
from tests.unit.aggregate.rolling.tallies import cases, tally
from tests.unit.shared.domain import by_fractions


def summary(*responses: str, population: int | None = None, scheme: str = "exact") -> Summary:
    return summarise(SKM_2017, tally(SKM_2017, *responses), population, domain.SCHEMES[scheme])


def test_one_respondent_of_the_regulations_example() -> None:
    summed = summary("443444433")
    assert (summed.respondents, summed.ikm, summed.mutu, summed.kinerja) == (
        1,
        Decimal("91.67"),
        "A",
        "Sangat Baik",
    )
    assert summed.comparison == {"0.11": Decimal("90.75"), "0.111": Decimal("91.58")}
    assert summed.ci95 is None
    assert [unsur.nrr for unsur in summed.unsur][:3] == [
        Decimal("4.000"),
        Decimal("4.000"),
        Decimal("3.000"),
    ]
    assert (summed.unsur[2].ikm, summed.unsur[2].mutu, summed.unsur[2].answered) == (
        Decimal("75.00"),
        "C",
        1,
    )


def test_nobody_has_no_index_rather_than_zero() -> None:
    summed = summary()
    assert (summed.respondents, summed.ikm, summed.mutu, summed.kinerja, summed.ci95) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert summed.comparison == {"0.11": None, "0.111": None}
    assert {(unsur.nrr, unsur.ikm, unsur.mutu, unsur.answered) for unsur in summed.unsur} == {
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
    summed = summary("444444444", scheme="0.11")
    assert (summed.scheme, summed.ikm) == ("0.11", Decimal("99.00"))
    assert summed.comparison == {"0.111": Decimal("99.90"), "exact": Decimal("100.00")}


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
    summed = summarise(SKM_2017, with_totals(respondents, totals), None, domain.EXACT)
    assert (summed.ikm, summed.mutu) == (Decimal(ikm), letter)


def test_gaspul_as_published() -> None:
    data = json.loads(
        (Path(__file__).parents[3] / "golden/regulation/gaspul-tw3.json").read_text(
            encoding="utf-8"
        )
    )
    totals = with_totals(data["respondents"], list(data["totals"].values()))
    summed = summarise(SKM_2017, totals, None, domain.EXACT)
    assert (str(summed.ikm), summed.mutu, str(summed.comparison["0.11"])) == ("91.48", "A", "90.56")


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
    summed = summarise(used, total, population, scheme)
    assert summed.ikm == (None if exact is None else half_up(exact, 2))
    assert summed.mutu == (None if exact is None else mutu(half_up(exact, 2)).letter)
    assert summed.ci95 == by_fractions.ci95(total, used, population)
    for u, unsur in enumerate(summed.unsur):
        nrr, ikm = by_fractions.nrr(total, u), by_fractions.unsur_ikm(total, u)
        assert unsur.answered == total.answered[u]
        assert unsur.nrr == (None if nrr is None else half_up(nrr, 3))
        assert unsur.ikm == (None if ikm is None else half_up(ikm, 2))
    assert headline(used, total, scheme) == (summed.respondents, summed.ikm, summed.mutu)

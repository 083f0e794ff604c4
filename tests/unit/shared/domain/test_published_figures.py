"""Figures that agencies published, recomputed from what they published beside them."""

import csv
import json
import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ikm import SCHEMES, ikm
from shared.domain.mutu import mutu
from shared.domain.questionnaire import SKM_2017
from shared.domain.rounding import half_up
from shared.domain.tally import Tally
from tests.builders import tally_of
from tests.unit.shared.domain.answers import GOLDEN, ONES, shuffled, spread, tally_of_columns

GASPUL = json.loads((GOLDEN / "gaspul-tw3.json").read_text(encoding="utf-8"))
KEDIRI_LETTERS = "CCCDCCCBBBBCCBBBBBBB"


@given(st.randoms(use_true_random=False))
def test_gaspul_whatever_answers_stand_behind_its_totals(chance: random.Random) -> None:
    n = GASPUL["respondents"]
    columns = [shuffled(spread(n, total), chance) for total in GASPUL["totals"].values()]
    assert [sum(column) for column in columns] == list(GASPUL["totals"].values())
    tally = tally_of_columns(columns)
    exact, rounded = ikm(tally, SKM_2017), ikm(tally, SKM_2017, SCHEMES["0.11"])
    assert exact is not None
    assert rounded is not None
    assert str(half_up(exact, 2)) == "91.48" == str(GASPUL["published_ikm"]["1/9"])
    assert str(half_up(rounded, 2)) == "90.56" == str(GASPUL["published_ikm"]["0.11"])
    assert mutu(half_up(exact, 2)).letter == GASPUL["mutu"] == "A"


def test_kediri_after_each_of_its_twenty_responses() -> None:
    with (GOLDEN / "kediri-2024.csv").open(encoding="utf-8", newline="") as file:
        events = list(csv.DictReader(file))
    tally, letters = Tally.zero(9), ""
    for event in events:
        tally += tally_of([int(event[u.code]) for u in SKM_2017.unsur], ONES)
        value = ikm(tally, SKM_2017)
        assert value is not None
        printed = Fraction(event["published_ikm"])
        if event["event"] == "7":  # 74.206349...; they rounded it twice, over 74.20635
            value = Fraction(half_up(value, 5))
        assert Fraction(half_up(value, 4)) == printed
        assert half_up(value, 2) == half_up(printed, 2)
        letters += mutu(half_up(value, 2)).letter
    assert letters == KEDIRI_LETTERS
    assert str(half_up(Fraction(25 * tally.total, 9 * tally.n), 2)) == "77.50"

"""Answers for the tests of the domain: expanded from published totals, or drawn by strategies."""

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from shared.domain.ikm import TallyFigures
from shared.domain.questionnaire import Questionnaire, Unsur
from shared.domain.submission.check import violations
from shared.domain.tally import Tally
from shared.domain.violation import Violation
from tests.builders import tally_of

GOLDEN = Path(__file__).parents[3] / "golden" / "regulation"
ONES = (1,) * 9


def spread(n: int, total: int) -> list[int]:
    """Return n scores with this total, as equal as they can be."""
    return [total // n + (i < total % n) for i in range(n)]


def columns_of_sum(n: int, total: int) -> list[list[int]]:
    """Return nine columns of n scores; all of them together have this total."""
    return [spread(n, part) for part in spread(9, total)]


def shuffled(column: list[int], chance: random.Random) -> list[int]:
    """Return other scores with the same total: points move from one respondent to another."""
    scores = list(column)
    for _ in range(3 * len(scores)):
        giver, taker = chance.randrange(len(scores)), chance.randrange(len(scores))
        if scores[giver] > 1 and scores[taker] < 4:
            scores[giver] -= 1
            scores[taker] += 1
    return scores


def tally_of_rows(rows: Sequence[Sequence[int | None]], weights: Sequence[int] = ONES) -> Tally:
    return sum((tally_of(row, weights) for row in rows), Tally.zero(len(weights)))


def tally_of_columns(columns: Sequence[Sequence[int]]) -> Tally:
    return tally_of_rows(list(zip(*columns, strict=True)))


def questionnaire_of(weights: Sequence[int], *, required: bool = True) -> Questionnaire:
    options = ("1", "2", "3", "4")
    unsur = (
        Unsur(f"U{i}", f"key{i}", f"Unsur {i}", "?", options, required, w)
        for i, w in enumerate(weights, 1)
    )
    return Questionnaire("test", "Test", tuple(unsur))


def nrr(tally: Tally, u: int) -> Decimal | None:
    figures = TallyFigures.of(tally, questionnaire_of([1] * tally.size))
    return figures.unsur_means()[u].nrr


def unsur_ikm(tally: Tally, u: int) -> Decimal | None:
    figures = TallyFigures.of(tally, questionnaire_of([1] * tally.size))
    return figures.unsur_means()[u].ikm


def ci95(
    tally: Tally, questionnaire: Questionnaire, population: int | None
) -> tuple[Decimal, Decimal] | None:
    return TallyFigures.of(tally, questionnaire).ci95(population)


def check(document: object, questionnaire: Questionnaire | None) -> list[Violation]:
    return list(violations(document, questionnaire))


scores = st.integers(1, 4)
rows = st.lists(scores, min_size=9, max_size=9)
partial_rows = st.lists(scores | st.none(), min_size=9, max_size=9)
weights = st.lists(st.integers(1, 5), min_size=9, max_size=9)
tallies = st.lists(partial_rows, max_size=6).map(tally_of_rows)

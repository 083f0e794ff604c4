"""The group-by of a batch, against the tally of the domain, for all batches."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.counting.tally import tally
from shared.domain.questionnaire import SKM_2017, TOTAL_WEIGHT_MAX, Questionnaire
from shared.domain.respondent import (
    AGE_MAX,
    EDUCATION,
    OCCUPATION,
    SEX,
    age_group,
    profile_code,
)
from shared.domain.tally import Tally
from shared.storage.responses import Place
from shared.storage.tallies.day_tally import Deltas, TallyKey
from tests.builders import questionnaire, tally_of

Profile = tuple[str | None, int | None, str | None, str | None]
NOBODY: Profile = (None, None, None, None)


class Answered(NamedTuple):
    place: Place
    profile: Profile
    scores: str


def tallied(questionnaire: Questionnaire, batch: Sequence[Answered]) -> Deltas:
    """The tally of responses that are given row by row."""
    places = sorted({answered.place for answered in batch})
    scores = np.frombuffer("".join(answered.scores for answered in batch).encode(), dtype=np.uint8)
    return tally(
        questionnaire,
        places,
        np.asarray([places.index(answered.place) for answered in batch]),
        np.asarray([profile_code(*answered.profile) for answered in batch]),
        scores.reshape(len(batch), questionnaire.size),
    )


SHORT = questionnaire("singkat", "A", "B", optional=frozenset({"B"}))


def weighing(*weights: int) -> Questionnaire:
    """SHORT with these weights."""
    pairs = zip(SHORT.unsur, weights, strict=True)
    return replace(SHORT, unsur=tuple(replace(unsur, weight=weight) for unsur, weight in pairs))


# The last one is beyond what may be applied, and beyond what doubles hold: still exact.
QUESTIONNAIRES = st.sampled_from(
    [SKM_2017, SHORT, weighing(1, TOTAL_WEIGHT_MAX - 1), weighing(99_999_989, 11)]
)
FACETS = ("all", "sex", "age", "education", "occupation", "channel")
PROFILES = st.tuples(
    st.none() | st.sampled_from(SEX),
    st.none() | st.integers(0, AGE_MAX),
    st.none() | st.sampled_from(EDUCATION),
    st.none() | st.sampled_from(OCCUPATION),
)
DAYS = st.sampled_from([date(2026, 5, 3), date(2026, 5, 4)])


@st.composite
def batches(draw: st.DrawFn) -> tuple[Questionnaire, list[Answered]]:
    questionnaire = draw(QUESTIONNAIRES)
    place = st.builds(
        Place,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y"]),
        DAYS,
        st.just(questionnaire.code),
        st.sampled_from("LK"),
    )
    scores = st.text("1234-", min_size=questionnaire.size, max_size=questionnaire.size)
    return questionnaire, draw(
        st.lists(st.builds(Answered, place, PROFILES, scores), min_size=1, max_size=30)
    )


def values_of(answered: Answered) -> dict[str, str]:
    sex, age, education, occupation = answered.profile
    group = None if age is None else age_group(age)
    values = dict(
        zip(FACETS, ("", sex, group, education, occupation, answered.place.channel), strict=True)
    )
    return {facet: value for facet, value in values.items() if value is not None}


def one_by_one(questionnaire: Questionnaire, batch: Sequence[Answered]) -> dict[TallyKey, Tally]:
    tallies: dict[TallyKey, Tally] = defaultdict(lambda: Tally.zero(questionnaire.size))
    for answered in batch:
        single = tally_of(
            [None if digit == "-" else int(digit) for digit in answered.scores],
            questionnaire.weights,
        )
        place = answered.place
        for facet, value in values_of(answered).items():
            tallies[
                TallyKey(place.opd, facet, place.day, place.layanan, value, place.questionnaire)
            ] += single
    return dict(tallies)


@given(batches())
def test_a_batch_gives_what_its_responses_add_up_to(
    drawn: tuple[Questionnaire, list[Answered]],
) -> None:
    questionnaire, batch = drawn
    deltas = tallied(questionnaire, batch)
    assert list(deltas.keys) == sorted(set(deltas.keys)), (
        "one row for each key, in the order in which rows are locked"
    )
    assert deltas.width == 4 * questionnaire.size
    cut = [
        tuple(deltas.counts[start : start + deltas.width])
        for start in range(0, len(deltas.counts), deltas.width)
    ]
    columns = zip(deltas.n, cut, deltas.complete, deltas.total, deltas.total_sq, strict=True)
    assert dict(zip(deltas.keys, (Tally(*row) for row in columns), strict=True)) == one_by_one(
        questionnaire, batch
    )


@given(batches())
def test_few_responses_at_many_places_are_numbered_and_give_the_same(
    drawn: tuple[Questionnaire, list[Answered]],
) -> None:
    questionnaire, batch = drawn
    elsewhere = [
        Answered(
            batch[0].place._replace(layanan=f"l{n}", channel=f"c{n}"),
            NOBODY,
            "1" * questionnaire.size,
        )
        for n in range(40)
    ]
    deltas = tallied(questionnaire, [*batch, *elsewhere])
    assert dict(zip(deltas.keys, deltas.n, strict=True)) == {
        key: tally.n for key, tally in one_by_one(questionnaire, [*batch, *elsewhere]).items()
    }


def test_the_unknown_part_of_a_profile_has_no_row() -> None:
    place = Place("a", "x", date(2026, 5, 4), SKM_2017.code, "loket")
    deltas = tallied(SKM_2017, [Answered(place, NOBODY, "4" * 9)])
    assert [key.facet for key in deltas.keys] == ["all", "channel"]


def test_a_large_batch_keeps_its_squares_exact() -> None:
    place = Place("a", "x", date(2026, 5, 4), SKM_2017.code, "loket")
    deltas = tallied(SKM_2017, [Answered(place, NOBODY, "4" * 9)] * 50_000)
    assert (deltas.n[0], deltas.total[0], deltas.total_sq[0]) == (
        50_000,
        36 * 50_000,
        36 * 36 * 50_000,
    )


def test_weights_that_64_bits_cannot_add_up_are_refused_and_never_rounded() -> None:
    place = Place("a", "x", date(2026, 5, 3), "singkat", "L")
    answered = [Answered(place, NOBODY, "44")]
    heavy = weighing(2_000_000_000, 1_000_000_000)
    with pytest.raises(OverflowError, match="too large to be added up"):
        tallied(heavy, answered)


def test_a_full_batch_of_the_heaviest_questionnaire_fits_many_times() -> None:
    place = Place("a", "x", date(2026, 5, 3), "singkat", "L")
    deltas = tallied(weighing(1, TOTAL_WEIGHT_MAX - 1), [Answered(place, NOBODY, "44")] * 20_000)
    assert deltas.total_sq[0] == 20_000 * (4 * TOTAL_WEIGHT_MAX) ** 2
    assert deltas.total_sq[0] * 100_000 < 2**63, "two thousand million responses"

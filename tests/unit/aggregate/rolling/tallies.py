"""Tallies for the tests of rolling: of written responses, and any."""

from hypothesis import strategies as st

from shared.domain.questionnaire import Questionnaire, Unsur
from shared.domain.tally import Tally
from tests.builders import tally_of

OPTIONS = ("1", "2", "3", "4")


def tally(used: Questionnaire, *responses: str) -> Tally:
    total = Tally.zero(used.size)
    for response in responses:
        total += tally_of(
            [None if digit == "-" else int(digit) for digit in response], used.weights
        )
    return total


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

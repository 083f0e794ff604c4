"""Whatever somebody types, it is a ticket that was given out or it is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.submission.ticket import SIGNS, Ticket, read_ticket, ticket_code
from tests.builders import SECRET
from tests.fuzz.examples import fuzzed

PLACE = ("disdukcapil", "ktp-el")
CODE = ticket_code(SECRET, Ticket(4711, *PLACE))
nearly = st.lists(st.sampled_from([*CODE, *SIGNS, "-", " ", "\u0130", "\u017f"]), max_size=24).map(
    "".join
)


@pytest.mark.timeout(600)
@fuzzed
@given(st.text(max_size=80) | nearly | st.text(SIGNS, min_size=16, max_size=16))
def test_nothing_that_is_typed_fails_or_opens(typed: str) -> None:
    ticket = read_ticket(SECRET, typed, [PLACE])
    assert ticket is None or ticket_code(SECRET, ticket) == CODE

"""Together, else one by one: what is tried again, what is raised, and what is left out."""

from collections.abc import Sequence

import psycopg
import pytest
import sqlalchemy as sa

from services.aggregate.counting.recovery import ATTEMPTS, together_or_singly

UNIQUE = psycopg.errors.UniqueViolation()
DEADLOCK = psycopg.errors.DeadlockDetected()
AWAY = psycopg.OperationalError()


def wrapped(error: psycopg.Error) -> sa.exc.DBAPIError:
    """The error as SQLAlchemy raises it."""
    wrap = sa.exc.DBAPIError.instance
    return wrap("SELECT 1", {}, error, psycopg.Error)  # type: ignore[return-value]


class Processing:
    """Raises these errors, one at each call, then succeeds; a bad item never does."""

    def __init__(self, *errors: Exception, bad: str = "") -> None:
        self.errors = list(errors)
        self.bad = bad
        self.calls: list[str] = []

    def __call__(self, items: Sequence[str]) -> str:
        self.calls.append("".join(items))
        if self.errors:
            raise self.errors.pop(0)
        if self.bad and self.bad in items:
            raise ValueError(self.bad)
        return "".join(items)


def run(processing: Processing, items: str = "abc") -> list[str]:
    return together_or_singly(items, processing, lambda item: f"without {item}")


def test_all_go_together() -> None:
    processing = Processing()
    assert run(processing) == ["abc"]
    assert processing.calls == ["abc"]


@pytest.mark.parametrize("error", [UNIQUE, DEADLOCK, wrapped(UNIQUE), wrapped(DEADLOCK)])
def test_a_collision_is_tried_again(error: Exception) -> None:
    processing = Processing(*[error] * (ATTEMPTS - 1))
    assert run(processing) == ["abc"]
    assert processing.calls == ["abc"] * ATTEMPTS


def test_a_collision_that_stays_is_taken_apart() -> None:
    assert run(Processing(*[UNIQUE] * ATTEMPTS)) == ["a", "b", "c"]


def test_the_one_at_fault_is_left_out() -> None:
    processing = Processing(bad="b")
    assert run(processing) == ["a", "without b", "c"]
    assert processing.calls == ["abc", "a", "b", "c"]


@pytest.mark.parametrize(
    "errors",
    [
        [AWAY],
        [wrapped(AWAY)],
        [DEADLOCK] * ATTEMPTS,
        [ValueError(), AWAY],
        [ValueError(), *[DEADLOCK] * ATTEMPTS],
    ],
)
def test_an_outage_is_nobodys_fault(errors: list[Exception]) -> None:
    with pytest.raises((psycopg.OperationalError, sa.exc.OperationalError)):
        run(Processing(*errors))


def test_what_is_no_fault_of_an_item_is_raised() -> None:
    with pytest.raises(RuntimeError):
        run(Processing(RuntimeError()))

"""Together, else one by one: what is tried again, what is raised, and what is left out."""

from collections.abc import Sequence

import psycopg
import pytest
import sqlalchemy as sa

from services.aggregate.counting.recovery import ATTEMPTS, Cause, cause_of, together_or_singly
from shared.storage.ledger import FoldedMeanwhile

# Of every class of SQLSTATE that psycopg knows: whose fault its errors are.
CAUSES = {
    Cause.COLLISION: "23 40",
    Cause.FAULT: "21 22 54",
    Cause.OUTAGE: "02 03 08 09 0A 0B 0F 0L 0P 0Z 10 20 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F"
    " 42 44 53 55 57 58 72 F0 HV P0 XX",
}
CAUSE_OF_STATE = {state: cause for cause, states in CAUSES.items() for state in states.split()}
UNIQUE = psycopg.errors.UniqueViolation()
DEADLOCK = psycopg.errors.DeadlockDetected()
AWAY = psycopg.OperationalError()
IDLE = psycopg.errors.IdleInTransactionSessionTimeout()


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


def test_who_collides_alone_again_and_again_is_raised_when_the_others_are_done() -> None:
    done: list[str] = []

    def process(items: Sequence[str]) -> str:
        if "b" in items:
            raise UNIQUE
        done.extend(items)
        return ""

    with pytest.raises(psycopg.errors.UniqueViolation):
        together_or_singly("abc", process, lambda _: pytest.fail("it is not at fault"))
    assert done == ["a", "c"]


@pytest.mark.parametrize(
    "error",
    [
        error
        for error in vars(psycopg.errors).values()
        if isinstance(getattr(error, "sqlstate", None), str)
    ],
)
def test_every_sqlstate_has_one_cause(error: type[psycopg.Error]) -> None:
    assert error.sqlstate is not None
    cause = CAUSE_OF_STATE[error.sqlstate[:2]]
    assert cause_of(error()) is cause
    assert cause_of(wrapped(error())) is cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (psycopg.OperationalError(), Cause.OUTAGE),
        (psycopg.InterfaceError(), Cause.OUTAGE),
        (psycopg.InternalError(), Cause.OUTAGE),
        (psycopg.IntegrityError(), Cause.OUTAGE),
        (psycopg.DataError("a NUL"), Cause.FAULT),
        (psycopg.ProgrammingError("cannot adapt"), Cause.FAULT),
        (sa.exc.TimeoutError(), Cause.OUTAGE),
        (sa.exc.StatementError("", "SELECT 1", {}, ValueError()), Cause.FAULT),
        (FoldedMeanwhile(), Cause.COLLISION),
        (OverflowError(), Cause.FAULT),
        (KeyError(), Cause.FAULT),
        (RuntimeError(), None),
        (OSError(), None),
    ],
)
def test_an_error_without_a_sqlstate_has_one_cause_too(
    error: Exception, cause: Cause | None
) -> None:
    assert cause_of(error) is cause


def test_the_one_at_fault_is_left_out() -> None:
    processing = Processing(bad="b")
    assert run(processing) == ["a", "without b", "c"]
    assert processing.calls == ["abc", "a", "b", "c"]


@pytest.mark.parametrize(
    "errors",
    [
        [AWAY],
        [wrapped(AWAY)],
        [DEADLOCK, AWAY],
        [ValueError(), AWAY],
        [ValueError(), DEADLOCK, AWAY],
        [IDLE],
    ],
)
def test_an_outage_is_nobodys_fault(errors: list[Exception]) -> None:
    with pytest.raises((psycopg.Error, sa.exc.OperationalError)):
        run(Processing(*errors))


def test_what_is_no_fault_of_an_item_is_raised() -> None:
    with pytest.raises(RuntimeError):
        run(Processing(RuntimeError()))

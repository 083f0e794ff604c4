"""What can go wrong when submissions are counted, and what then.

    COLLISION  another worker had the same rows or entries  try again, a few times, then one by one
    FAULT      what the submissions say cannot be counted   one by one; who fails alone is left out
    OUTAGE     the database is away, busy, or not in order  raise: everything stays where it is
    anything else                                           raise: it is a fault of the program

Only a fault is held against a submission. Of those that collide alone, again and again, the others
are counted first; then the collision is raised like an outage, and all stay for a later attempt.

PostgreSQL's errors are told apart by the class of their SQLSTATE, the first two characters
(PostgreSQL documentation, appendix A), never by the class of the exception: psycopg's overlap.
"""

import logging
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final, TypeVar

import psycopg
import sqlalchemy as sa

from shared.storage.ledger import FoldedMeanwhile

log = logging.getLogger(__name__)

ATTEMPTS = 5  # at rows that others are writing, too

Item = TypeVar("Item")
Result = TypeVar("Result")


class Cause(Enum):
    """Why counting failed: exactly one for every error of the database or of the data."""

    COLLISION = auto()
    FAULT = auto()
    OUTAGE = auto()


# 23: a constraint, which only another worker's rows can violate; 40: a deadlock, serialization.
_COLLISION_STATES: Final = {"23", "40"}
# 21: one row twice in a statement; 22: a value that its type does not hold; 54: beyond a limit.
_FAULT_STATES: Final = {"21", "22", "54"}
# Before anything is sent: what psycopg cannot write down.
_UNWRITABLE: Final = (psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError)
_DATA: Final = (ValueError, TypeError, ArithmeticError, LookupError)


def cause_of(error: BaseException | None) -> Cause | None:
    """Return why counting failed; None for a fault of the program, which is raised."""
    if isinstance(error, sa.exc.StatementError) and error.orig is not None:
        return cause_of(error.orig)
    if isinstance(error, psycopg.Error):
        return _cause_of_state(error, error.sqlstate or error.diag.sqlstate)
    if isinstance(error, FoldedMeanwhile):
        return Cause.COLLISION
    if isinstance(error, sa.exc.SQLAlchemyError):
        return Cause.OUTAGE
    return Cause.FAULT if isinstance(error, _DATA) else None


def _cause_of_state(error: psycopg.Error, sqlstate: str | None) -> Cause:
    if sqlstate is None:
        return Cause.FAULT if isinstance(error, _UNWRITABLE) else Cause.OUTAGE
    if sqlstate[:2] in _COLLISION_STATES:
        return Cause.COLLISION
    return Cause.FAULT if sqlstate[:2] in _FAULT_STATES else Cause.OUTAGE


def together_or_singly(
    items: Sequence[Item],
    process: Callable[[Sequence[Item]], Result],
    give_up: Callable[[Item], Result],
) -> list[Result]:
    """Process the items together; should that fail, one by one, and give up those at fault.

    Return one result of all items, or one of each. Raises an outage, and at the end a collision
    that stayed; what was processed singly is done then.
    """
    try:
        return [_retried(lambda: process(items))]
    except Exception as error:
        if cause_of(error) not in (Cause.FAULT, Cause.COLLISION):
            raise
        log.exception("failed together: now one by one", extra={"items": len(items)})
    results: list[Result] = []
    collision: Exception | None = None
    for item in items:
        try:
            results.append(_singly(item, process, give_up))
        except Exception as error:
            if cause_of(error) is not Cause.COLLISION:
                raise
            log.exception("collides alone: later again")
            collision = error
    if collision is not None:
        raise collision
    return results


def _singly(
    item: Item,
    process: Callable[[Sequence[Item]], Result],
    give_up: Callable[[Item], Result],
) -> Result:
    try:
        return _retried(lambda: process([item]))
    except Exception as error:
        if cause_of(error) is not Cause.FAULT:
            raise
        log.exception("failed alone: left out")
    return _retried(lambda: give_up(item))


def _retried(process: Callable[[], Result]) -> Result:
    """Process, again after a collision: what another worker wrote meanwhile can be seen then."""
    for attempt in range(1, ATTEMPTS):
        try:
            return process()
        except Exception as error:
            if cause_of(error) is not Cause.COLLISION:
                raise
            log.info(
                "another worker had the same rows",
                extra={"error": type(error).__name__, "attempt": attempt},
            )
    return process()

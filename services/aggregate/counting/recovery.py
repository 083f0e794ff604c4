"""What can go wrong when submissions are counted, and what then.

    COLLISION  another worker had the same entries or rows  try again, a few times
    OUTAGE     the database is away or busy                 raise: everything stays where it is
    FAULT      anything else, or a collision that stays     one by one; who fails alone is left out

A deadlock is the first and the second: it is tried again, and never held against a submission.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg
import sqlalchemy as sa

log = logging.getLogger(__name__)

ATTEMPTS = 5  # at rows that others are writing, too

COLLISION = (psycopg.IntegrityError, psycopg.errors.DeadlockDetected)
OUTAGE = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
FAULT = (
    sa.exc.SQLAlchemyError,
    psycopg.Error,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
)
Item = TypeVar("Item")
Result = TypeVar("Result")


def together_or_singly(
    items: Sequence[Item],
    process: Callable[[Sequence[Item]], Result],
    give_up: Callable[[Item], Result],
) -> list[Result]:
    """Process the items together; should that fail, one by one, and give up those that fail alone.

    Return one result of all items, or one of each. Raises an OUTAGE; what was processed singly
    until then is done.
    """
    try:
        return [_retried(lambda: process(items))]
    except FAULT as error:
        if isinstance(error, OUTAGE):
            raise
        log.exception("failed together: now one by one", extra={"items": len(items)})
    return [_singly(item, process, give_up) for item in items]


def _singly(
    item: Item,
    process: Callable[[Sequence[Item]], Result],
    give_up: Callable[[Item], Result],
) -> Result:
    try:
        return _retried(lambda: process([item]))
    except FAULT as error:
        if isinstance(error, OUTAGE):
            raise
        log.exception("failed alone: left out")
    return _retried(lambda: give_up(item))


def _retried(process: Callable[[], Result]) -> Result:
    """Process, again after a collision: what another worker wrote meanwhile can be seen then."""
    for attempt in range(1, ATTEMPTS):
        try:
            return process()
        except FAULT as error:
            if not _is_collision(error):
                raise
            log.info(
                "another worker had the same rows",
                extra={"error": type(error).__name__, "attempt": attempt},
            )
    return process()


def _is_collision(error: Exception) -> bool:
    """Tell whether another worker is the cause; SQLAlchemy may have wrapped the error."""
    return isinstance(error.orig if isinstance(error, sa.exc.DBAPIError) else error, COLLISION)

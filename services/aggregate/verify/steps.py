"""The steps of a verification: what one of them cannot look at is reported, the others go on."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from services.aggregate.verify.findings import Finding
from shared.domain.errors import IkmError

log = logging.getLogger(__name__)

# What a row that should not be there can bring about, in PostgreSQL or here.
UNCHECKABLE = (
    sa.exc.SQLAlchemyError,
    IkmError,
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
)


class Step(NamedTuple):
    """One step: its check by name, what it looks at, and what yields what is wrong, in words.

    `parts` are smaller steps that look at the same, for when the step fails.
    """

    check: str
    subject: str
    find: Callable[[], Iterable[str]]
    parts: Callable[[], Iterable["Step"]] = tuple


def take(connection: sa.Connection, step: Step) -> Iterator[Finding]:
    """Yield the findings of a step; that it failed is one.

    Raises what means that the database is away.
    """
    try:
        with connection.begin_nested():
            findings = [Finding(step.check, text) for text in step.find()]
    except UNCHECKABLE as error:
        if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
            raise
        log.debug("a step failed", extra={"check": step.check}, exc_info=True)
        parts = list(step.parts())
        for part in parts:
            yield from take(connection, part)
        if not parts:
            cause = str(error).partition("\n")[0]
            yield Finding(step.check, f"{step.subject} cannot be checked: {cause}")
    else:
        yield from findings

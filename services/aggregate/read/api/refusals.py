"""What only the read API refuses: unknown keys, repeated parameters, reads without PostgreSQL."""

import logging
from collections import Counter

import sqlalchemy as sa
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from shared import problem_handlers
from shared.problems import Refused, problem, query_violation
from shared.registry.access import KeyRefused
from shared.registry.refused_keys import RefusedKeys

log = logging.getLogger(__name__)


def install(api: FastAPI) -> None:
    """Let the application answer its failures with problems."""
    problem_handlers.install(api, answers_head=True)
    refused_keys = RefusedKeys()

    async def unknown_key(request: Request, error: Exception) -> Response:
        address = request.client.host if request.client is not None else ""
        refusal = error if isinstance(error, KeyRefused) else KeyRefused("")
        return problem_handlers.response_of(refused_keys.answer(refusal, address))

    api.add_exception_handler(KeyRefused, unknown_key)
    for lost in (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        api.add_exception_handler(lost, _database_unavailable)


def each_once(request: Request) -> None:
    """Raise Refused when a query parameter is given twice: which one is meant cannot be known."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    violations = [
        query_violation(name, "repeated", "given more than once")
        for name, n in counts.items()
        if n > 1
    ]
    if violations:
        del violations[problem_handlers.VIOLATIONS_MAX :]
        raise Refused(problem("invalid-parameter", errors=violations))


async def _database_unavailable(_: Request, error: Exception) -> Response:
    log.warning("PostgreSQL cannot be asked", extra={"error": str(error)})
    return problem_handlers.response_of(problem("database-unavailable"))

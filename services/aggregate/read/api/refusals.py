"""Every failure of a read as a problem (RFC 9457): what is wrong with the request, or why there is no answer now."""

import logging
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.domain.violation import Violation
from shared.problems import Problem, Refused, problem, query_violation

log = logging.getLogger(__name__)

_CODES = {404: "not-found", 405: "method-not-allowed"}


def install(api: FastAPI) -> None:
    """Let the application answer its failures with problems."""
    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)
    for lost in (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        api.add_exception_handler(lost, _away)
    api.add_exception_handler(Exception, _failed)


def each_once(request: Request) -> None:
    """Raise Refused when a query parameter is given twice: which one is meant cannot be known."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    if violations := [
        query_violation(name, "repeated", "given more than once")
        for name, n in given.items()
        if n > 1
    ]:
        raise Refused(problem("invalid-parameter", errors=violations))


async def _refused(_: Request, error: Exception) -> Response:
    return _response(error.problem if isinstance(error, Refused) else problem("internal-error"))


async def _invalid(_: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else ()
    violations = [
        Violation(_pointer(one["loc"]), str(one["type"]).replace("_", "-"), str(one["msg"]))
        for one in errors
    ]
    return _response(problem("invalid-parameter", errors=violations))


async def _http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 0
    found = problem(_CODES.get(status, "malformed-request"))
    headers = error.headers if isinstance(error, HTTPException) else None
    if allow := (headers or {}).get("Allow"):
        found = found.with_headers(
            allow=", ".join([allow, "HEAD"] if "HEAD" not in allow else [allow])
        )
    return _response(found)


async def _away(_: Request, error: Exception) -> Response:
    log.warning("PostgreSQL cannot be asked", extra={"error": str(error)})
    return _response(problem("database-unavailable"))


async def _failed(_: Request, error: Exception) -> Response:
    log.error("internal error", exc_info=error)
    return _response(problem("internal-error"))


def _pointer(location: Sequence[object]) -> str:
    """A JSON pointer (RFC 6901) of where a value was given, as in /query/window."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _response(found: Problem) -> Response:
    return Response(found.body, found.status, found.plain_headers)

"""Every failure inside a FastAPI application is answered with a problem (RFC 9457)."""

import logging
from collections.abc import Iterable, Iterator
from functools import reduce
from http import HTTPStatus
from itertools import islice

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from shared.domain.submission.rules import member
from shared.domain.violation import Violation
from shared.problems import Problem, Refused, problem

log = logging.getLogger(__name__)

VIOLATIONS_MAX = 100  # of parameters in an answer
_CODES = {404: "not-found", 405: "method-not-allowed"}


def install(api: FastAPI, *, answers_head: bool = False) -> None:
    """Let the application answer its failures with problems.

    `answers_head`: whoever serves the application answers HEAD wherever it answers GET.
    """

    async def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 0
        headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
        if status == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_of(request)):
            headers["Allow"] = methods
        if answers_head and "HEAD" not in headers.get("Allow", "HEAD"):
            headers["Allow"] += ", HEAD"
        code = _CODES.get(status, "malformed-request")
        return response_of(problem(code).with_headers(**headers))

    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(RequestValidationError, _invalid_parameters)
    api.add_exception_handler(HTTPException, http_error)
    api.add_exception_handler(Exception, _failed)


def _methods_of(request: Request) -> str:
    """Return the methods of all routes of a path: Starlette names those of the first."""
    methods = {
        method
        for route in _every_route(request.app.router.routes)
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods))


def _every_route(routes: Iterable[object]) -> Iterator[object]:
    """Yield routes, and those of the routers that were included."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from (route,) if router is None else _every_route(router.routes)


def response_of(refusal: Problem) -> Response:
    """Return a problem as the response that an exception handler gives."""
    return Response(refusal.body, refusal.status, refusal.plain_headers)


async def _refused(_: Request, error: Exception) -> Response:
    return response_of(error.problem if isinstance(error, Refused) else problem("internal-error"))


async def _invalid_parameters(_: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else ()
    violations = [
        Violation(
            reduce(member, detail["loc"], ""),  # a pointer, as in /query/window
            str(detail["type"]).replace("_", "-"),
            str(detail["msg"]),
        )
        for detail in islice(errors, VIOLATIONS_MAX)
    ]
    return response_of(problem("invalid-parameter", errors=violations))


async def _failed(_: Request, error: Exception) -> Response:
    log.error("internal error", exc_info=error)
    return response_of(problem("internal-error"))

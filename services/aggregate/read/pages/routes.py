"""The paths of the pages: the index of today for people, and the documents for callers of the API."""

import re
from datetime import date
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.aggregate.read.answer import PreparedAnswer
from services.aggregate.read.bodies import Index
from services.aggregate.read.figures import rolling_index, tally_index
from services.aggregate.read.pages import swagger_ui
from services.aggregate.read.pages.render import page
from services.aggregate.read.pages.windows import choices, days_of
from services.aggregate.read.pages.words import NOTHING
from services.aggregate.read.parameters import DEFAULT_WINDOW, WINDOW_PATTERN
from services.aggregate.read.service import PreparedResponse, ReadService
from shared.domain.window import Window, parse
from shared.problems import KINDS, Refused, problem

_SCHEMES = {"exact": "tepat (1/9)"}


def pages(service: ReadService) -> APIRouter:
    """All pages."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)

    @routes.get("/")
    async def home(request: Request) -> Response:
        source = service.source()
        window = _window(request.query_params.get("window"), source.today)
        return await service.answer(
            request,
            source,
            rolling_index.index(source.snapshot, window),
            lambda: tally_index.index(source, window),
            partial(_home, window=window, today=source.today),
        )

    @routes.get("/docs")
    def docs() -> Response:
        return PreparedResponse(swagger_ui.docs_page())

    @routes.get("/docs/problems")
    def problems() -> Response:
        return PreparedResponse(page("problems.html", kinds=KINDS.items()))

    @routes.get("/docs/{name}")
    def docs_file(name: str) -> Response:
        answer = swagger_ui.docs_file(name)
        if answer is None:
            raise Refused(problem("not-found"))
        return PreparedResponse(answer)

    return routes


def _window(name: str | None, today: date) -> Window:
    """Return the window of a name; of a name that is none, the default: a person gets a page."""
    if name is None or not re.fullmatch(WINDOW_PATTERN, name):
        name = DEFAULT_WINDOW
    return parse(name, today)


def _home(index: Index, window: Window, today: date) -> PreparedAnswer:
    return page(
        "index.html",
        instansi=index.instansi,
        opd=sorted(index.opd, key=lambda line: line.name.casefold()),
        window=window,
        choices=choices(today),
        days=days_of(window),
        scheme=_SCHEMES.get(index.instansi.scheme, index.instansi.scheme),
        nothing=NOTHING,
    )

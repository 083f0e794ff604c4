"""The paths of the pages: the index of today for people, and the documents for callers of the API."""

import re
from datetime import date
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.aggregate.read.answer import Answer
from services.aggregate.read.bodies import Index
from services.aggregate.read.figures import rolling_index
from services.aggregate.read.pages import reference
from services.aggregate.read.pages.render import page
from services.aggregate.read.pages.windows import choices, days_of
from services.aggregate.read.pages.words import NOTHING
from services.aggregate.read.parameters import DEFAULT_WINDOW, WINDOW_PATTERN
from services.aggregate.read.service import Sent, Service
from shared.domain.window import Window, parse
from shared.problems import KINDS

_SCHEMES = {"exact": "tepat (1/9)"}


def pages(service: Service) -> APIRouter:
    """All pages."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)

    @routes.get("/")
    async def home(request: Request) -> Response:
        tallies = service.tallies()
        window = _window(request.query_params.get("window"), tallies.today)
        show = partial(_home, window=window, today=tallies.today)
        ready = rolling_index.index(tallies.snapshot, window)
        return await service.answer(request, tallies, ready, lambda: tallies.index(window), show)

    @routes.get("/docs")
    def docs() -> Response:
        found = service.document()
        groups, schemas = reference.operations(found), reference.schemas(found)
        return Sent(page("docs.html", document=found, groups=groups, schemas=schemas))

    @routes.get("/docs/problems")
    def problems() -> Response:
        return Sent(page("problems.html", kinds=KINDS.items()))

    return routes


def _window(name: str | None, today: date) -> Window:
    """The window of this name; for a name that there is none of, the default: a person gets a page."""
    known = name is not None and re.fullmatch(WINDOW_PATTERN, name)
    return parse(name if known and name is not None else DEFAULT_WINDOW, today)


def _home(index: Index, window: Window, today: date) -> Answer:
    return page(
        "index.html",
        instansi=index.instansi,
        opd=sorted(index.opd, key=lambda one: one.name.casefold()),
        window=window,
        choices=choices(today),
        days=days_of(window),
        scheme=_SCHEMES.get(index.instansi.scheme, index.instansi.scheme),
        nothing=NOTHING,
    )

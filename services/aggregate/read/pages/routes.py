"""The paths of the pages: the index of today for people, and the documents for callers."""

from datetime import date
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.aggregate.read.answer import AnswerKey, PreparedAnswer
from services.aggregate.read.bodies import Index
from services.aggregate.read.figures import released_index
from services.aggregate.read.pages import swagger_ui
from services.aggregate.read.pages.render import page
from services.aggregate.read.pages.windows import choices, days_of, label
from services.aggregate.read.pages.words import NOTHING
from services.aggregate.read.parameters import DEFAULT_WINDOWS, HOME
from services.aggregate.read.service import PreparedResponse, Service
from services.aggregate.read.view import PUBLIC
from shared.domain.window import Window, is_public, named_window
from shared.problems import KINDS, Refused, problem

_SCHEMES = {"exact": "tepat (1/9)"}

router = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get(HOME)
async def home(request: Request, service: Service) -> Response:
    """Answer with the index of a window, of all OPDs, for people."""
    source = service.public_source()
    window = _window(request.query_params.get("window"), source.today)
    return await service.answer(
        source,
        PUBLIC,
        AnswerKey(HOME, "", "", window.name),
        (
            lambda: released_index.prepared_index(source, window),
            lambda: released_index.summed_index(source, window),
        ),
        partial(_home_page, window=window, today=source.today),
    )


@router.get("/docs")
def docs() -> Response:
    """Answer with the page on which calls are tried."""
    return PreparedResponse(swagger_ui.docs_page())


@router.get("/docs/problems")
def problems() -> Response:
    """Answer with the list of problems: their `type` leads to it."""
    return PreparedResponse(page("problems.html", kinds=KINDS.items()))


@router.get("/docs/{name}")
def docs_file(name: str) -> Response:
    """Answer with a file that the page of the calls loads."""
    answer = swagger_ui.docs_file(name)
    if answer is None:
        raise Refused(problem("not-found"))
    return PreparedResponse(answer)


def _window(name: str | None, today: date) -> Window:
    """Return the window of a name; of a name that is none, the default: a person gets a page."""
    if name is None or not is_public(name):
        name = DEFAULT_WINDOWS[HOME]
    return named_window(name, today)


def _home_page(index: Index, window: Window, today: date) -> PreparedAnswer:
    return page(
        "index.html",
        instansi=index.instansi,
        opd_lines=sorted(index.opd, key=lambda line: line.name.casefold()),
        window=window,
        choices=choices(today),
        label=label(window),
        days=days_of(window),
        scheme=_SCHEMES.get(index.instansi.scheme, index.instansi.scheme),
        nothing=NOTHING,
    )

"""The paths of the citizen's page.

    GET  /s/{opd}            choose a layanan
    GET  /s/{opd}/{layanan}  the questions; ?p= where it is answered, ?t= a ticket, ?lang=en
    POST /s/{opd}/{layanan}  the answers: a page that thanks, or one that says what is missing

The routes read the state of the application: `watch`, `acceptance` and `form_limit`.
"""

import re
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.ingest import body as bodies
from services.ingest.form import answer, questions, words
from services.ingest.form.limits import AddressLimit
from services.ingest.form.rated import RatedLayanan, rated_layanan
from services.ingest.form.render import page, service_worker, static_file
from services.ingest.form.sending import form_channel, store, wrong_members
from services.ingest.form.token import FormToken
from services.ingest.form.words import Language
from services.ingest.watch import STARTING, Watch
from shared.domain.errors import IkmError
from shared.domain.respondent import AGE_MAX
from shared.domain.submission.identity import COMMENT_MAX, POINT_PATTERN
from shared.domain.submission.ticket import TYPED_MAX
from shared.problems import Problem, Refused, problem
from shared.registry.snapshot import Channel

router = APIRouter(prefix="/s", include_in_schema=False, default_response_class=Response)

_POINT: Final = re.compile(POINT_PATTERN)
_POINT_MAX: Final = 64


class Unsent(IkmError):
    """The page cannot be taken; `key` names the text that says why."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """Answer with a file that the pages load."""
    response = static_file(name)
    if response is None:
        raise Refused(problem("not-found"))
    return response


@router.get("/worker.js")
async def worker() -> Response:
    """Answer with the service worker: what keeps pages and answers for hours without network."""
    return service_worker()


@router.get("/{opd}")
async def choose(request: Request, opd: str) -> Response:
    """Answer with the layanan of an OPD, to choose from."""
    watch = _watch(request)
    entry = watch.registry.opd.get(opd)
    if entry is None or not entry.is_open(watch.today) or _channel(watch, opd) is None:
        return _not_found(request)
    layanan = [kind for kind in entry.layanan.values() if kind.is_open(watch.today)]
    return page("choose.html", {"opd": entry, "layanan": layanan, **_frame(request)})


@router.get("/{opd}/{layanan}")
async def form(request: Request, opd: str, layanan: str) -> Response:
    """Answer with the questions about a layanan."""
    survey = rated_layanan(_watch(request), opd, layanan)
    return _not_found(request) if survey is None else _form(request, survey, {})


@router.post("/{opd}/{layanan}")
async def send(request: Request, opd: str, layanan: str) -> Response:
    """Store the answers: the page that thanks is sent when they are on disk."""
    watch = _watch(request)
    survey = rated_layanan(watch, opd, layanan)
    if survey is None:
        return _not_found(request)
    fields: Mapping[str, str] = {}
    try:
        fields = await _fields(request)
        receipt = await _store(request, survey, fields)
    except Unsent as error:
        return _message(request, error.status, error.key)
    except Refused as error:
        if wrong := wrong_members(error.problem):
            return _form(request, survey, fields, wrong)
        return _refused(request, error.problem)
    return _thanks(request, watch, survey, receipt)


async def _fields(request: Request) -> Mapping[str, str]:
    body = await bodies.read(request.receive, dict(request.scope["headers"]))
    fields = answer.fields_of(body)
    if fields is None:
        raise Unsent(422, "unreadable")
    return fields


async def _store(request: Request, survey: RatedLayanan, fields: Mapping[str, str]) -> str:
    """Store an answer and return its receipt."""
    token = FormToken.read(_watch(request).registry.secret, fields.get("token", ""), time.time())
    number = answer.number_of(fields)
    if token is None or number is None:
        raise Unsent(403, "expired")
    if "website" in fields:  # nobody sees this field
        raise Unsent(422, "trapped")
    limit: AddressLimit = request.app.state.form_limit
    if not limit.admits(request.client.host if request.client else ""):
        raise Unsent(429, "too_many")
    opd, layanan = survey.opd.code, survey.layanan.code
    document = answer.submission(opd, layanan, survey.questionnaire, fields, token)
    source_id, acceptance = token.source_id(number), request.app.state.acceptance
    return await store(acceptance, survey.channel, source_id, document, fields.get("ticket"))


def _watch(request: Request) -> Watch:
    watch: Watch = request.app.state.watch
    if watch.registry.version == 0:
        raise Refused(STARTING)
    return watch


def _channel(watch: Watch, opd: str) -> Channel | None:
    return form_channel(watch.registry, opd, watch.today)


def _form(
    request: Request,
    survey: RatedLayanan,
    fields: Mapping[str, str],
    wrong: list[str] | None = None,
) -> Response:
    """Return the questions, with what was answered already, and where something is wrong."""
    watch = _watch(request)
    language = _language(request)
    asked = [
        (unsur, *questions.asked(survey.questionnaire, unsur, language))
        for unsur in survey.questionnaire.unsur
    ]
    token = fields.get("token") or FormToken.new().text(watch.registry.secret)
    point = request.query_params.get("p", "")
    given = {
        "point": point if len(point) <= _POINT_MAX and _POINT.match(point) else "",
        "ticket": request.query_params.get("t", "")[:TYPED_MAX],
        **fields,
    }
    values = {
        "opd": survey.opd,
        "layanan": survey.layanan,
        "questions": asked,
        "token": token,
        "fields": defaultdict(str, given),
        "wrong": set(wrong or ()),
        "profile": questions.profile_labels(language),
        "comment_max": COMMENT_MAX,
        "age_max": AGE_MAX,
        "ticket_max": TYPED_MAX,
        **_frame(request),
    }
    return page("form.html", values, 422 if wrong else 200)


def _thanks(request: Request, watch: Watch, survey: RatedLayanan, receipt: str) -> Response:
    language = _language(request)
    headline = watch.board.get((survey.opd.code, survey.layanan.code))
    values = {
        "opd": survey.opd,
        "layanan": survey.layanan,
        "receipt": receipt,
        "headline": headline,
        "ikm": words.number(headline.ikm, language) if headline else "",
        "respondents": words.number(headline.respondents, language) if headline else "",
        **_frame(request),
    }
    return page("thanks.html", values)


def _not_found(request: Request) -> Response:
    return _message(request, 404, "not_found")


def _refused(request: Request, refusal: Problem) -> Response:
    after = refusal.plain_headers.get("retry-after")
    return _message(
        request, refusal.status, "unavailable", {"Retry-After": after} if after else None
    )


def _message(
    request: Request, status: int, key: str, headers: Mapping[str, str] | None = None
) -> Response:
    response = page("message.html", {"key": key, **_frame(request)}, status)
    response.headers.update(headers or {})
    return response


def _language(request: Request) -> Language:
    return "en" if request.query_params.get("lang") == "en" else "id"


def _frame(request: Request) -> dict[str, object]:
    """Return what every page shows: its language, its texts, and where the other language is."""
    language = _language(request)
    parameters = {
        name: request.query_params[name][:TYPED_MAX]
        for name in ("p", "t")
        if request.query_params.get(name)
    }
    other = {**parameters, **({"lang": "en"} if language == "id" else {})}
    own = {**parameters, **({"lang": "en"} if language == "en" else {})}
    path = request.url.path
    return {
        "language": language,
        "other_language": "en" if language == "id" else "id",
        "text": words.texts(language),
        "other_url": f"{path}?{urlencode(other)}" if other else path,
        "own_query": f"?{urlencode(own)}" if own else "",
        "instansi": _watch(request).registry.instansi,
    }

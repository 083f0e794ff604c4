"""What a tablet asks for: the list of forms, a form, its media, and whether submissions go here.

The key is a part of the address, for Collect can be set up with an address alone. The routes read
the state of the application that they belong to: `watch`, `refused_keys` and `forms`.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.formats.openrosa.message import (
    HEADERS,
    MEDIA_TYPE,
    SUBMISSION_HEADERS,
    reply,
)
from services.ingest.formats.senders import by_authorization
from services.ingest.tablets.documents import MANIFEST, form_list
from services.ingest.tablets.forms import Form, Forms, FormsUnavailable
from services.ingest.watch import STARTING, Watch
from shared.problems import Problem, Refused, problem
from shared.registry.access import KeyRefused
from shared.registry.refused_keys import RefusedKeys
from shared.registry.snapshot import Channel

_NO_FORM = problem("not-found", "there is no such form, or not for this key")
_NOT_MADE = problem("starting", "the forms could not be made: see the log of the service")


class TabletRoute(APIRoute):
    """A route whose refusals are messages of OpenRosa."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, with another answer to what was refused."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Refused as error:
                return _refused(error, request)

        return answer


router = APIRouter(prefix="/v1/key/{key}", include_in_schema=False, route_class=TabletRoute)


@router.get("/formList")
async def list_forms(
    key: str,
    request: Request,
    form_id: Annotated[str | None, Query(alias="formID")] = None,
    verbose: Annotated[str | None, Query()] = None,
) -> Response:
    """Answer with the forms of the OPDs that the key may send for."""
    forms = await _forms(request, key)
    base = str(request.url.replace(query="", fragment="")).removesuffix("/formList")
    listed = [form for form in forms.values() if form_id in {None, form.survey.form_id}]
    return _xml(form_list(listed, base, is_verbose=verbose == "true"))


@router.get("/forms/{form_id}.xml")
async def form(key: str, form_id: str, request: Request) -> Response:
    """Answer with a form."""
    wanted = (await _forms(request, key)).get(form_id)
    if wanted is None:
        raise Refused(_NO_FORM)
    return _xml(wanted.xform)


@router.get("/forms/{form_id}/manifest")
async def manifest(key: str, form_id: str, request: Request) -> Response:
    """Answer with the media of a form: it has none."""
    if form_id not in await _forms(request, key):
        raise Refused(_NO_FORM)
    return _xml(MANIFEST)


@router.api_route("/submission", methods=["HEAD", "GET"])
async def submission(key: str, request: Request) -> Response:
    """Tell a tablet that submissions are sent here: 204, and how large they may be."""
    _channel(request, key)
    return Response(status_code=204, headers=dict(SUBMISSION_HEADERS))


async def _forms(request: Request, key: str) -> dict[str, Form]:
    """Return the forms of the OPDs that the key's channel serves, by id."""
    channel = _channel(request, key)
    watch: Watch = request.app.state.watch
    forms: Forms = request.app.state.forms
    try:
        by_id = await forms.of(watch.registry, watch.today)
    except FormsUnavailable:
        raise Refused(_NOT_MADE) from None
    return {form_id: form for form_id, form in by_id.items() if channel.serves(form.survey.opd)}


def _channel(request: Request, key: str) -> Channel:
    """Return the open channel of a key; Refused without one."""
    watch: Watch = request.app.state.watch
    if watch.registry.version == 0:
        raise Refused(STARTING)
    return by_authorization(b"Bearer " + key.encode(), watch.registry, watch.today)


def _refused(error: Refused, request: Request) -> Response:
    refused_keys: RefusedKeys = request.app.state.refused_keys
    answer: Problem = error.problem
    if isinstance(error, KeyRefused):
        answer = refused_keys.answer(error, request.client.host if request.client else "")
    told = reply(request, answer)
    headers = {name.decode(): text.decode() for name, text in told.headers}
    return Response(told.body, told.status, headers, told.media_type.decode())


def _xml(document: bytes) -> Response:
    return Response(document, headers=dict(HEADERS), media_type=MEDIA_TYPE.decode())

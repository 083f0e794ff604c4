"""The path of a request, as a plain ASGI endpoint: key, body, submissions, inbox, 202.

It touches Redis once.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from services.ingest import body as bodies
from services.ingest.acceptance import Acceptance
from services.ingest.auth import Authenticator
from services.ingest.formats.format import Format, Reply, Request, Unreadable
from services.ingest.meters import IngestMeters
from services.ingest.replies import Accepted, encode
from services.ingest.watch import Watch
from shared.domain.violation import Violation
from shared.problems import Problem, Refused, problem
from shared.registry.access import KeyRefused
from shared.registry.refused_keys import RefusedKeys
from shared.registry.snapshot import Channel

log = logging.getLogger(__name__)

FAILED = problem("internal-error")
_JSON = (b"content-type", b"application/json")
_NO_PARAMETERS: Mapping[str, str] = {}


class Endpoint:
    """Answers the POSTs of one wire format."""

    def __init__(
        self,
        wire_format: Format,
        watch: Watch,
        acceptance: Acceptance,
        meters: IngestMeters,
        refused_keys: RefusedKeys,
    ) -> None:
        self._format = wire_format
        self._watch = watch
        self._acceptance = acceptance
        self._meters = meters
        self._outcomes = meters.outcomes(wire_format.name)
        self._refused_keys = refused_keys
        self._authenticator = Authenticator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one POST."""
        headers = dict(scope["headers"])
        answer: Accepted | Problem
        try:
            answer = await self._accepted(scope, headers, receive)
        except (Refused, Unreadable) as error:
            answer = self._refusal_of(error, scope)
        except Exception:  # nothing was acknowledged; what went wrong is for the log alone
            log.exception("a request failed")
            answer = FAILED
        if isinstance(answer, Problem):
            self._meters.refused(answer.code)
        if self._format.reply is not None:
            reply = self._format.reply(self._request(scope, headers), answer)
            await _send(reply, send)
        elif isinstance(answer, Problem):
            await answer(scope, receive, send)
        else:
            body = encode(answer)
            start = (_JSON, (b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": 202, "headers": start})
            await send({"type": "http.response.body", "body": body})

    def _refusal_of(self, error: Refused | Unreadable, scope: Scope) -> Problem:
        """Return what is answered; a key that is not known is counted, and slowed in the end."""
        if isinstance(error, Unreadable):  # the request cannot be read in this format
            return problem(
                error.code, error.detail, errors=[Violation("", error.code, error.detail)]
            )
        if isinstance(error, KeyRefused):
            address, _ = scope.get("client") or ("", 0)
            return self._refused_keys.answer(error, address)
        return error.problem

    async def _accepted(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Accepted:
        """Store what a request holds; Refused or Unreadable when nothing was."""
        watch = self._watch
        if watch.refusal is not None:
            raise Refused(watch.refusal)
        registry = watch.registry
        channel = self._sender(scope, headers)
        body = await bodies.read(receive, headers)
        if registry is not watch.registry:  # a key revoked while a slow body arrived is revoked
            channel = self._sender(scope, headers)
        request = self._request(scope, headers, body, channel)
        if self._format.verify is not None:
            self._format.verify(request)
        return await self._acceptance.accept(channel, self._format.parse(request), self._outcomes)

    def _sender(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Channel:
        watch = self._watch
        if self._format.identify is not None:
            return self._format.identify(self._request(scope, headers), watch.today)
        authorization = headers.get(b"authorization")
        return self._authenticator.authenticate(watch.registry, authorization, watch.today)

    def _request(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        body: bytes = b"",
        channel: Channel | None = None,
    ) -> Request:
        media_type = _media_type(headers.get(b"content-type", b""))
        parameters = scope.get("path_params", _NO_PARAMETERS)
        query = scope.get("query_string", b"")
        registry = self._watch.registry
        if channel is None:
            return Request(media_type, headers, body, parameters, query, registry=registry)
        return Request(media_type, headers, body, parameters, query, channel, registry)


async def _send(reply: Reply, send: Send) -> None:
    """Answer as a format says."""
    start = [
        (b"content-type", reply.media_type),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": start})
    await send({"type": "http.response.body", "body": reply.body})


@lru_cache(maxsize=256)
def _media_type(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()

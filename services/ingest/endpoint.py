"""The request path of ingest, as a plain ASGI endpoint: key, body, submissions, inbox, 202. It touches Redis once."""

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from services.ingest import body as bodies
from services.ingest.auth import Authenticator
from services.ingest.formats.format import Format, Item, Parsed, Request, Unreadable
from services.ingest.group_commit import GroupCommit
from services.ingest.meters import Meters
from services.ingest.watch import UNAVAILABLE, Watch
from shared.domain.submission.identity import receipt_bytes, receipt_namespace, receipt_text
from shared.domain.violation import Violation
from shared.inbox.entry import Parcel
from shared.problems import Problem, Refused, problem
from shared.registry.snapshot import Channel
from shared.wire import Submission

log = logging.getLogger(__name__)

FAILED = problem("internal-error")
BREATH = 500  # submissions judged before other requests get a turn
_JSON = (b"content-type", b"application/json")
_FORBIDDEN = "forbidden"
_NAMELESS = Violation(
    "/id", "required", "is required (or the Idempotency-Key header of a single submission)"
)

namespace = lru_cache(maxsize=4096)(receipt_namespace)


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """One submission that was not accepted."""

    item: int  # its index in the batch
    errors: Sequence[Violation]


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """What of a request can be stored, column by column, and what cannot."""

    receipts: list[bytes]
    ids: list[str]
    bodies: list[bytes]
    refused: list[Refusal]


class Endpoint:
    """Answers the POSTs of one wire format."""

    def __init__(
        self, wire_format: Format, watch: Watch, commit: GroupCommit, meters: Meters
    ) -> None:
        self._format = wire_format
        self._watch = watch
        self._commit = commit
        self._meters = meters
        self._authenticator = Authenticator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one POST."""
        try:
            answer = await self._answer(scope["headers"], receive)
        except Refused as error:
            self._meters.refused(error.problem.code)
            await error.problem(scope, receive, send)
            return
        except Exception:  # nothing was acknowledged; what went wrong is for the log alone
            log.exception("a request failed")
            self._meters.refused(FAILED.code)
            await FAILED(scope, receive, send)
            return
        length = str(len(answer)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 202,
                "headers": (_JSON, (b"content-length", length)),
            }
        )
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, headers: Sequence[tuple[bytes, bytes]], receive: Receive) -> bytes:
        watch = self._watch
        if watch.refusal is not None:
            raise Refused(watch.refusal)
        known, registry = dict(headers), watch.registry
        channel = self._authenticator.authenticate(
            registry, known.get(b"authorization"), watch.today
        )
        body = await bodies.read(receive, known)
        if (
            registry is not watch.registry
        ):  # a key that was revoked while a slow body arrived is revoked
            channel = self._authenticator.authenticate(
                watch.registry, known.get(b"authorization"), watch.today
            )
        parsed = self._parse(Request(_media_type(known.get(b"content-type", b"")), known, body))
        accepted = Accepted([], [], [], [])
        for start in range(0, len(parsed.items), BREATH):
            if start:
                await asyncio.sleep(0)
            self._judge(parsed.items, start, channel, accepted)
        if not accepted.bodies:
            raise Refused(_refusal(parsed, accepted.refused))
        parcel = Parcel(
            channel.name,
            time.time_ns() // 1000,
            b"".join(accepted.receipts),
            accepted.ids,
            accepted.bodies,
        )
        if not await self._commit.store(parcel):
            raise Refused(UNAVAILABLE)
        self._meters.accepted(self._format.name, len(accepted.bodies), len(accepted.refused))
        return _reply(accepted)

    def _parse(self, request: Request) -> Parsed:
        try:
            return self._format.parse(request)
        except Unreadable as error:
            raise Refused(
                problem(error.code, error.detail, errors=_errors([_whole(error)], ""))
            ) from None

    def _judge(
        self, items: Sequence[Item], start: int, channel: Channel, accepted: Accepted
    ) -> None:
        """Judge the items from `start` on, as many as one breath takes."""
        decoder, space, everywhere = (
            self._watch.decoder,
            namespace(channel.name),
            channel.opd is None,
        )
        for index, item in enumerate(items[start : start + BREATH], start):
            submission = decoder.decode(item.body)
            if item.violations or isinstance(submission, list):
                accepted.refused.append(Refusal(index, _violations(item, submission)))
                continue
            source_id = item.source_id or submission.id
            if source_id is None:
                accepted.refused.append(Refusal(index, [_NAMELESS]))
            elif everywhere or channel.serves(submission.opd):
                accepted.receipts.append(receipt_bytes(space, source_id))
                accepted.ids.append(source_id)
                accepted.bodies.append(item.body)
            else:
                detail = f"the key of channel {channel.name} may not send for this OPD"
                accepted.refused.append(
                    Refusal(index, [Violation(f"{item.pointer}/opd", _FORBIDDEN, detail)])
                )


def _violations(item: Item, submission: Submission | list[Violation]) -> list[Violation]:
    """Everything that is wrong with an item: its envelope, and what that holds (when it could be opened)."""
    if not isinstance(submission, list) or (item.violations and not item.body):
        return list(item.violations)
    inside = [
        Violation(item.pointer + found.pointer, found.code, found.detail) for found in submission
    ]
    return [*item.violations, *inside]


@lru_cache(maxsize=256)
def _media_type(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()


def _reply(accepted: Accepted) -> bytes:
    receipts = '","'.join(map(receipt_text, accepted.receipts))
    if not accepted.refused:
        return (
            f'{{"accepted":{len(accepted.bodies)},"receipts":["{receipts}"],"refused":[]}}'.encode()
        )
    refused = _json(_items(accepted.refused)).decode()
    return f'{{"accepted":{len(accepted.bodies)},"receipts":["{receipts}"],"refused":{refused}}}'.encode()


def _refusal(parsed: Parsed, refused: list[Refusal]) -> Problem:
    first = refused[0]
    forbidden = all(error.code == _FORBIDDEN for refusal in refused for error in refusal.errors)
    code = _FORBIDDEN if forbidden else "invalid-submission"
    if not parsed.is_batch:
        if first.errors[0].code == "malformed-json":
            return problem(
                "malformed-json", first.errors[0].detail, errors=_errors(first.errors, "")
            )
        return problem(code, first.errors[0].detail, errors=_errors(first.errors, ""))
    detail = f"none of the {len(refused):,} submissions can be accepted"
    return problem(
        code, detail, errors=_errors(first.errors, f"/{first.item}"), refused=_items(refused)
    )


def _items(refused: list[Refusal]) -> list[dict[str, Any]]:
    return [{"index": refusal.item, "errors": _errors(refusal.errors, "")} for refusal in refused]


def _errors(violations: Sequence[Violation], prefix: str) -> list[dict[str, str]]:
    return [
        {"pointer": prefix + violation.pointer, "code": violation.code, "detail": violation.detail}
        for violation in violations
    ]


def _whole(error: Unreadable) -> Violation:
    return Violation("", error.code, error.detail)


_json = msgspec.json.Encoder().encode

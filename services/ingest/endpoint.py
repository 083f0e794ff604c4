"""The path of a request, as a plain ASGI endpoint: key, body, submissions, inbox, 202.

It touches Redis once.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import msgspec
from starlette.types import Receive, Scope, Send

from services.ingest import body as bodies
from services.ingest.auth import Authenticator
from services.ingest.formats.format import SINGLE_MAX_BYTES, Format, Item, Request, Unreadable
from services.ingest.group_commit import GroupCommit
from services.ingest.meters import IngestMeters
from services.ingest.replies import FORBIDDEN, Accepted, RefusedItem, encode, refusal_of_all
from services.ingest.watch import UNAVAILABLE, Watch
from shared.domain.submission.identity import receipt_texts
from shared.domain.violation import Violation
from shared.inbox.entry import Parcel
from shared.problems import Problem, Refused, problem
from shared.registry.access import KeyRefused
from shared.registry.refused_keys import RefusedKeys
from shared.registry.snapshot import Channel
from shared.wire import MOST_VIOLATIONS, Submission

log = logging.getLogger(__name__)

FAILED = problem("internal-error")
BREATH = 1000  # effort before other requests get a turn: a submission is 1, its quarter KiB another
VIOLATIONS_MAX = 1000  # in an answer: of all its items, and those of the first once more
_JSON = (b"content-type", b"application/json")
_TOO_LONG = Violation("", "length", "one submission may have 1 MiB")
_NAMELESS = Violation(
    "/id", "required", "is required (or the Idempotency-Key header of a single submission)"
)


class Judged(msgspec.Struct, gc=False):
    """What of a request can be stored, column by column, and what is refused.

    Every refused item is named; when `room` is used up, without its violations.
    """

    ids: list[str] = []
    bodies: list[bytes] = []
    refused: list[RefusedItem] = []
    forbidden: int = 0  # of the refused
    room: int = VIOLATIONS_MAX - MOST_VIOLATIONS

    @property
    def truncated(self) -> bool:
        """Whether violations may be missing."""
        return self.room <= 0

    def refuse(self, index: int, violations: Sequence[Violation]) -> None:
        """Refuse an item."""
        listed = violations[: self.room]
        self.room -= len(listed)
        self.refused.append(RefusedItem(index, listed))


class Endpoint:
    """Answers the POSTs of one wire format."""

    def __init__(
        self,
        wire_format: Format,
        watch: Watch,
        commit: GroupCommit,
        meters: IngestMeters,
        refused_keys: RefusedKeys,
    ) -> None:
        self._format = wire_format
        self._watch = watch
        self._commit = commit
        self._meters = meters
        self._outcomes = meters.outcomes(wire_format.name)
        self._refused_keys = refused_keys
        self._authenticator = Authenticator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one POST."""
        try:
            reply = await self._store(dict(scope["headers"]), receive)
        except (Refused, Unreadable) as error:
            refusal = self._refusal_of(error, scope)
            self._meters.refused(refusal.code)
            await refusal(scope, receive, send)
            return
        except Exception:  # nothing was acknowledged; what went wrong is for the log alone
            log.exception("a request failed")
            self._meters.refused(FAILED.code)
            await FAILED(scope, receive, send)
            return
        headers = (_JSON, (b"content-length", b"%d" % len(reply)))
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

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

    async def _store(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Store what a request holds and return the body of its 202; Refused when nothing was."""
        watch = self._watch
        if watch.refusal is not None:
            raise Refused(watch.refusal)
        registry, authorization = watch.registry, headers.get(b"authorization")
        channel = self._authenticator.authenticate(registry, authorization, watch.today)
        body = await bodies.read(receive, headers)
        if registry is not watch.registry:  # a key revoked while a slow body arrived is revoked
            channel = self._authenticator.authenticate(watch.registry, authorization, watch.today)
        media_type = _media_type(headers.get(b"content-type", b""))
        parsed = self._format.parse(Request(media_type, headers, body))
        judged = Judged()
        effort = 0
        for index, item in enumerate(parsed.items):
            effort += 1 + (len(item.body) >> 8)
            if effort > BREATH:
                effort = 0
                await asyncio.sleep(0)
            self._judge(index, item, channel, judged)
        if not judged.bodies:
            raise Refused(_refusal_of_all(judged, is_batch=parsed.is_batch))
        received_us = time.time_ns() // 1000
        parcel = Parcel(channel.name, received_us, b"", judged.ids, judged.bodies)
        if not await self._commit.store(parcel):
            raise Refused(UNAVAILABLE)
        self._outcomes.accepted += len(parcel.ids)
        self._outcomes.refused += len(judged.refused)
        receipts = receipt_texts(parcel.receipts)
        return encode(Accepted(len(receipts), receipts, judged.refused, judged.truncated))

    def _judge(self, index: int, item: Item, channel: Channel, judged: Judged) -> None:
        if len(item.body) > SINGLE_MAX_BYTES:
            judged.refuse(index, (replace(_TOO_LONG, pointer=item.pointer),))
            return
        submission = self._watch.decoder.decode(item.body, judged.room)
        violations: Sequence[Violation]
        if isinstance(submission, list) or item.violations:
            violations = _violations(item, submission)
        elif (source_id := item.source_id or submission.id) is None:
            violations = (_NAMELESS,)
        elif not channel.serves(submission.opd):
            detail = f"the key of channel {channel.name} may not send for this OPD"
            violations = (Violation(f"{item.pointer}/opd", FORBIDDEN, detail),)
            judged.forbidden += 1
        else:
            judged.ids.append(source_id)
            judged.bodies.append(item.body)
            return
        judged.refuse(index, violations)


def _refusal_of_all(judged: Judged, *, is_batch: bool) -> Problem:
    is_forbidden = judged.forbidden == len(judged.refused)
    return refusal_of_all(
        judged.refused, is_batch=is_batch, is_forbidden=is_forbidden, truncated=judged.truncated
    )


def _violations(item: Item, submission: Submission | list[Violation]) -> Sequence[Violation]:
    """Return all that is wrong with an item: its envelope and, where readable, what it holds."""
    if not isinstance(submission, list) or (item.violations and not item.body):
        return item.violations
    inside = [
        replace(violation, pointer=item.pointer + violation.pointer) for violation in submission
    ]
    return [*item.violations, *inside]


@lru_cache(maxsize=256)
def _media_type(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()

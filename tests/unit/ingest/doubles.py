"""Stand-ins for ingest: an inbox in memory (judged by tests/contract) and endpoints over it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from redis.asyncio import Redis
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope

from services.ingest.acceptance import Acceptance
from services.ingest.endpoint import Endpoint
from services.ingest.formats import FORMATS
from services.ingest.group_commit import GroupCommit
from services.ingest.meters import IngestMeters
from services.ingest.watch import Watch
from shared.inbox.entry import Parcel
from shared.inbox.writer import AppendAnswer, Writer
from shared.registry.refused_keys import RefusedKeys
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.wire import SubmissionDecoder
from tests.builders import RECEIPT_MAKER, registry

NOWHERE = "redis://127.0.0.1:1/0"
TODAY = datetime(2026, 5, 4, 12, tzinfo=UTC)


class MemoryWriter(Writer):
    """Appends to a list, taking `delay` seconds; raises `fail` instead of the next appends."""

    def __init__(self) -> None:
        super().__init__(Redis.from_url(NOWHERE), "memory:")
        self.entries: list[list[Parcel]] = []
        self.accepted = 0
        self.delay = 0.0
        self.fail: list[Exception] = []
        self.under_way: asyncio.Future[AppendAnswer] | None = None

    def start(self, parcels: Sequence[Parcel], count: int) -> asyncio.Future[AppendAnswer]:
        self.under_way = asyncio.ensure_future(self._append(parcels, count))
        return self.under_way

    async def _append(self, parcels: Sequence[Parcel], count: int) -> AppendAnswer:
        await asyncio.sleep(self.delay)
        if self.fail:
            raise self.fail.pop(0)
        self.entries.append(list(parcels))
        self.accepted += count
        return self.accepted, 0

    def drop(self) -> None:
        if self.under_way is not None:
            self.under_way.cancel()

    async def totals(self) -> tuple[int, int]:
        return self.accepted, 0


@dataclass
class Answer:
    """What an endpoint answered."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Desk:
    """The endpoints of all formats over an inbox in memory. Make it inside a running loop."""

    def __init__(self, snapshot: Registry | None = None, timeout: float = 0.5) -> None:
        settings = Settings.load(redis_url=NOWHERE)
        self.writer = MemoryWriter()
        self.watch = Watch(settings, Redis.from_url(NOWHERE), self.writer, lambda: TODAY)
        self.watch.refusal = None
        self.watch.today = TODAY.date()
        self.know(snapshot or registry())
        self.commit = GroupCommit(
            self.writer, timeout, lambda: RECEIPT_MAKER, self.watch.stored, self.watch.failed
        )
        meters = IngestMeters(self.watch)
        self.acceptance = Acceptance(self.watch, self.commit, meters)
        self.endpoints = {
            path: Endpoint(wire_format, self.watch, self.acceptance, meters, RefusedKeys())
            for path, wire_format in FORMATS.items()
        }

    def know(self, snapshot: Registry) -> None:
        """Take another registry, as a look at Redis would."""
        self.watch.registry, self.watch.decoder = snapshot, SubmissionDecoder(snapshot)
        self.watch._receipt_maker = RECEIPT_MAKER

    @property
    def stored(self) -> list[tuple[str, bytes]]:
        """Id and body of everything in the inbox."""
        parcels = [parcel for entry in self.writer.entries for parcel in entry]
        return [pair for parcel in parcels for pair in zip(parcel.ids, parcel.bodies, strict=True)]

    def _route(self, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint of a path, and the parameters in it."""
        for template, endpoint in self.endpoints.items():
            match = compile_path(template)[0].fullmatch(path)
            if match:
                return endpoint, match.groupdict()
        raise KeyError(path)

    async def post(
        self,
        body: bytes | Receive,
        headers: Mapping[str, str] | Iterable[tuple[str, str]],
        path: str = "/v1/submissions",
    ) -> Answer:
        """The answer to one POST; `body` may be a receive function of the test's own."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
        scope: Scope = {"type": "http", "method": "POST", "path": path, "headers": raw}
        endpoint, scope["path_params"] = self._route(path)
        answer = Answer()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {
                    name.decode(): value.decode() for name, value in message["headers"]
                }
            else:
                answer.body += message["body"]

        await endpoint(scope, body if callable(body) else receiving([body]), send)
        return answer


def receiving(chunks: Sequence[bytes], delay: float = 0.0) -> Receive:
    """A receive function: gives each chunk of the body after `delay` seconds, then a disconnect."""
    left = list(chunks)

    async def receive() -> Message:
        if delay:
            await asyncio.sleep(delay)
        if not left:
            return {"type": "http.disconnect"}
        chunk = left.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    return receive

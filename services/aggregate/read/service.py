"""What the routes share: the current snapshot, PostgreSQL, the clock; how a read is answered."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.aggregate.read.answer import AnswerKey, PreparedAnswer
from services.aggregate.read.bodies import Readiness, ReceiptStatus
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.follower import Follower
from services.aggregate.read.meters import ReadMeters
from services.aggregate.read.parameters import HOME, plainly_asked
from services.aggregate.read.queries import QUERIES_MAX, Queries
from services.aggregate.read.snapshot import CurrentSnapshot
from services.aggregate.read.view import PUBLIC, SentKeys, View, view_of
from services.aggregate.rolling.rolling_rows import encode
from shared.clock import Clock
from shared.domain.violation import Violation
from shared.domain.window import local_day
from shared.problems import Refused, problem, query_violation
from shared.registry.access import demand_metrics
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.settings import Settings
from shared.storage import lookups
from shared.storage.driver.deadline import limit_silence
from shared.storage.engine import create_engine

_RECEIPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
Body = TypeVar("Body", bound=msgspec.Struct)


class ReadService:
    """Open from `start` to `stop`; the engine connects when it is first needed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.clock = clock
        self._has_open_metrics = settings.has_open_metrics
        self.current = CurrentSnapshot()
        self._keys = SentKeys()
        self.engine: sa.Engine = create_engine(settings.need_read_database(), pool_size=QUERIES_MAX)
        limit_silence(self.engine)
        self.queries = Queries()
        self.meters = ReadMeters(self.engine, self.current, clock)
        self._follower = Follower(self.engine, self.current)

    def start(self) -> None:
        """Start to follow the tables; until they are loaded, reads are answered 503."""
        self._follower.start()

    def stop(self) -> None:
        """Close everything."""
        self._follower.stop()
        self.queries.close()
        self.engine.dispose()

    def prepared_answer(self, scope: Scope) -> PreparedAnswer | None:
        """Return the answer to this GET, if it was given before and still holds.

        None for a key that is not known: the route refuses it.
        """
        snapshot = self.current.snapshot
        asked = plainly_asked(scope["path"], scope["query_string"])
        if snapshot is None or asked is None:
            return None
        view: View = PUBLIC
        if asked.path != HOME:  # its figures are public ones, whoever looks at them
            try:
                key = self._keys.key_of(snapshot.registry, sent_authorization(scope["headers"]))
            except Refused:
                return None
            view = view_of(key, asked.opd or None)
        rows = snapshot.rows_of(view)
        return rows.answers(snapshot.today(self.clock())).get(asked)

    def source(self, request: Request) -> FigureSource:
        """Return what to answer a read from now.

        Raises Refused while nothing was loaded yet (503), and for a key that is not known (401).
        """
        source = self.public_source()
        key = self._keys.key_of(source.registry, sent_authorization(request.scope["headers"]))
        return replace(source, key=key)

    def public_source(self) -> FigureSource:
        """Return what to answer anybody from now, as `source` does without a key."""
        snapshot = self.current.snapshot
        if snapshot is None:
            raise Refused(problem("starting"))
        return FigureSource(self.engine, snapshot, snapshot.today(self.clock()), key=None)

    def demand_metrics(self, authorization: str | None) -> None:
        """Raise Refused unless metrics are open, or the key may read all OPDs."""
        snapshot = self.current.snapshot
        if snapshot is None and not self._has_open_metrics:
            raise Refused(problem("starting"))
        registry = Registry.empty() if snapshot is None else snapshot.registry
        demand_metrics(registry, authorization, is_open=self._has_open_metrics)

    async def answer(
        self,
        source: FigureSource,
        view: View,
        asked: AnswerKey,
        sources_of_body: tuple[Callable[[], Body | None], Callable[[], Body]],
        prepare: Callable[[Body], PreparedAnswer],
    ) -> Response:
        """Answer with a body from the rows of a view, and keep that answer; else query for one.

        `sources_of_body`: makes it from the rows, if they have it; asks PostgreSQL.
        """
        from_rows, query = sources_of_body
        rows = source.snapshot.rows_of(view)
        answer = rows.answers(source.today).get(asked)
        if answer is None:
            body = from_rows()
            if body is None:
                return PreparedResponse(await self.queries.run(lambda: prepare(query())))
            answer = prepare(body)
            rows.keep(asked, source.today, answer)
        return PreparedResponse(answer)

    async def queried(self, compute: Callable[[], Body], *, is_private: bool = False) -> Response:
        """Answer with a body that PostgreSQL is asked for."""
        return PreparedResponse(
            await self.queries.run(lambda: json_answer(compute(), is_private=is_private))
        )

    def receipt_status(self, source: FigureSource, receipt: str) -> ReceiptStatus:
        """Return what became of a submission. Raises Refused (404) for a receipt not known."""
        with source.reading() as connection:
            is_receipt = _RECEIPT.fullmatch(receipt)
            fate = lookups.fate(connection, UUID(receipt)) if is_receipt else None
        if fate is None:
            detail = "not known, or still waiting in the inbox"
            violations = [Violation("/path/receipt", "unknown-receipt", detail)]
            raise Refused(problem("not-found", detail, errors=violations))
        received_on = local_day(fate.received_at, source.registry.instansi.zone)
        return ReceiptStatus(str(UUID(receipt)), fate.state, fate.reason, received_on)

    def readiness(self) -> Readiness:
        """Return whether figures can be served. Without PostgreSQL the last known ones can."""
        snapshot = self.current.snapshot
        return Readiness(
            ready=snapshot is not None,
            reason=None if snapshot is not None else "starting",
            database=self.current.connected,
            registry=snapshot.registry.version if snapshot is not None else None,
            as_of=snapshot.as_of() if snapshot is not None else None,
        )


def service_of(request: Request) -> ReadService:
    """Return the service of the application that a request came to."""
    service: ReadService = request.app.state.service
    return service


Service = Annotated[ReadService, Depends(service_of)]  # a parameter of routes


class PreparedResponse(Response):
    """A prepared answer as a response: it decides itself between 200 and 304."""

    def __init__(self, answer: PreparedAnswer) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer."""
        await self._answer.send(scope["method"], scope["headers"], send)


def registered_opd(registry: Registry, opd_code: str) -> Opd:
    """Return the OPD of a code. Raises Refused (404) where the registry has none."""
    opd = registry.opd.get(opd_code)
    if opd is None:
        violations = [Violation("/path/opd", "unknown-opd", "no OPD has this code")]
        raise Refused(problem("not-found", errors=violations))
    return opd


def registered_layanan(opd: Opd, layanan_code: str) -> Layanan | None:
    """Return the layanan of a code; None for "", the whole OPD. Raises Refused (404)."""
    if not layanan_code:
        return None
    layanan = opd.layanan.get(layanan_code)
    if layanan is None:
        violation = query_violation(
            "layanan", "unknown-layanan", "no layanan of this OPD has this code"
        )
        raise Refused(problem("not-found", errors=[violation]))
    return layanan


def json_answer(body: msgspec.Struct, *, is_private: bool = False) -> PreparedAnswer:
    """Prepare a body as an answer; `is_private`: for whoever asked alone."""
    return PreparedAnswer.of(encode(body), is_private=is_private)


def sent_authorization(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the Authorization header of a request; None when it sent none."""
    for name, value in headers:
        if name == b"authorization":
            return value
    return None

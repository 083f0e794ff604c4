"""What the routes share: the current snapshot, PostgreSQL, the clock; how a read is answered."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.aggregate.read.answer import PreparedAnswer
from services.aggregate.read.bodies import Readiness, ReceiptStatus
from services.aggregate.read.figures.index_bodies import local_time
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.follower import Follower
from services.aggregate.read.meters import ReadMeters
from services.aggregate.read.queries import QUERIES_MAX, Queries
from services.aggregate.read.snapshot import CurrentSnapshot
from services.aggregate.rolling.rolling_rows import encode
from shared.clock import Clock
from shared.domain.violation import Violation
from shared.problems import Refused, problem, query_violation
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.storage import lookups
from shared.storage.driver.deadline import limit_silence
from shared.storage.engine import create_engine

_RECEIPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
Body = TypeVar("Body", bound=msgspec.Struct)


class ReadService:
    """Open from `start` to `stop`; the engine connects when it is first needed."""

    def __init__(self, database_url: str, clock: Clock) -> None:
        self.clock = clock
        self.current = CurrentSnapshot()
        self.engine: sa.Engine = create_engine(database_url, pool_size=QUERIES_MAX)
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

    def prepared_answer(self, path: str, query: bytes) -> PreparedAnswer | None:
        """Return the answer to this GET, if it was given before and still holds."""
        snapshot = self.current.snapshot
        return snapshot.answers(self.clock()).get((path, query)) if snapshot is not None else None

    def source(self) -> FigureSource:
        """Return what to answer a read from now. Raises Refused while nothing was loaded yet."""
        snapshot = self.current.snapshot
        if snapshot is None:
            raise Refused(problem("starting"))
        now = self.clock()
        snapshot.answers(now)  # empties them when the day has changed
        return FigureSource(self.engine, snapshot, snapshot.today(now))

    async def answer(
        self,
        request: Request,
        source: FigureSource,
        body: Body | None,
        compute: Callable[[], Body],
        prepare: Callable[[Body], PreparedAnswer],
    ) -> Response:
        """Answer with a body that is ready, and keep that answer; else compute one in a thread."""
        if body is None:
            return PreparedResponse(await self.queries.run(lambda: prepare(compute())))
        answer = prepare(body)
        source.snapshot.keep((request.scope["path"], request.scope["query_string"]), answer)
        return PreparedResponse(answer)

    async def queried(self, compute: Callable[[], Body]) -> Response:
        """Answer with a body that PostgreSQL is asked for."""
        return PreparedResponse(await self.queries.run(lambda: json_answer(compute())))

    def receipt_status(self, receipt: str) -> ReceiptStatus:
        """Return what became of a submission. Raises Refused (404) for a receipt not known."""
        source = self.source()
        with source.reading() as connection:
            is_receipt = _RECEIPT.fullmatch(receipt)
            fate = lookups.fate(connection, UUID(receipt)) if is_receipt else None
        if fate is None:
            detail = "not known, or still waiting in the inbox"
            violations = [Violation("/path/receipt", "unknown-receipt", detail)]
            raise Refused(problem("not-found", detail, errors=violations))
        received_at = local_time(source.registry, fate.received_at)
        return ReceiptStatus(str(UUID(receipt)), fate.state, fate.reason, received_at)

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


def json_answer(body: msgspec.Struct) -> PreparedAnswer:
    """Prepare a body as an answer."""
    return PreparedAnswer.of(encode(body))

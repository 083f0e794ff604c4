"""What the routes share: the board, PostgreSQL, the clock; and how a read becomes an answer."""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.aggregate.read.answer import Answer
from services.aggregate.read.bodies import Readiness, ReceiptStatus
from services.aggregate.read.figures.index_bodies import local
from services.aggregate.read.figures.tally_index import Tallies
from services.aggregate.read.follower import Follower
from services.aggregate.read.meters import Meters
from services.aggregate.read.snapshot import Board, Snapshot
from services.aggregate.rolling.rolling_rows import encode
from shared.clock import Clock
from shared.problems import Fault, Refused, problem, query_fault
from shared.registry.snapshot import Layanan, Opd
from shared.storage import lookups
from shared.storage.engine import create_engine

_RECEIPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_POOL_SIZE = 8
Body = TypeVar("Body", bound=msgspec.Struct)


class Service:
    """Open from `start` to `stop`; the engine connects when it is first needed."""

    def __init__(self, database_url: str, clock: Clock) -> None:
        self.clock = clock
        self.board = Board()
        self.engine: sa.Engine = create_engine(database_url, pool_size=_POOL_SIZE)
        self.meters = Meters(self.engine, self.board, clock)
        self.document: Callable[[], dict[str, Any]] = dict
        self._follower = Follower(self.engine, self.board)

    def start(self) -> None:
        """Begin to follow the tables. Does not wait: until they are loaded, reads are answered 503."""
        self._follower.start()

    def stop(self) -> None:
        """Close everything."""
        self._follower.stop()
        self.engine.dispose()

    def tallies(self) -> Tallies:
        """What to answer a read from, on this local day. Raises Refused while nothing was loaded yet."""
        snapshot = self.board.snapshot
        if snapshot is None:
            raise Refused(problem("starting"))
        now = self.clock()
        snapshot.answers(now)  # empties them when the day has changed
        return Tallies(self.engine, snapshot, snapshot.today(now))

    async def answer(
        self,
        request: Request,
        tallies: Tallies,
        ready: Body | None,
        compute: Callable[[], Body],
        form: Callable[[Body], Answer],
    ) -> Response:
        """Answer with what is ready, and keep it for the next time; else with what is computed in a thread."""
        if ready is not None:
            answer = form(ready)
            tallies.snapshot.keep((request.scope["path"], request.scope["query_string"]), answer)
            return Sent(answer)
        return Sent(await run_in_threadpool(lambda: form(compute())))

    def receipt(self, code: str) -> ReceiptStatus:
        """What became of a submission."""
        tallies = self.tallies()
        with tallies.reading() as connection:
            fate = lookups.fate(connection, UUID(code)) if _RECEIPT.fullmatch(code) else None
        if fate is None:
            detail = "not known, or still waiting in the inbox"
            raise Refused(
                problem(
                    "not-found", detail, errors=[Fault("/path/receipt", "unknown-receipt", detail)]
                )
            )
        received_at = local(tallies.registry, fate.received_at) or fate.received_at
        return ReceiptStatus(str(UUID(code)), fate.state, fate.reason, received_at)

    def readiness(self) -> Readiness:
        """Whether figures can be served. Without PostgreSQL the last known ones can."""
        snapshot = self.board.snapshot
        return Readiness(
            ready=snapshot is not None,
            reason=None if snapshot is not None else "starting",
            database=self.board.connected,
            registry=snapshot.registry.version if snapshot is not None else None,
            as_of=snapshot.as_of() if snapshot is not None else None,
        )


class Sent(Response):
    """An Answer as a response: it decides itself between 200 and 304."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await self._answer.send(scope["method"], scope["headers"], send)


def found(snapshot: Snapshot, opd: str, layanan: str = "") -> tuple[Opd, Layanan | None]:
    """The OPD and layanan ("": none is meant) of these codes. Raises Refused (404) where the registry has none."""
    unit = snapshot.registry.opd.get(opd)
    if unit is None:
        raise Refused(
            problem("not-found", errors=[Fault("/path/opd", "unknown-opd", "no OPD has this code")])
        )
    if not layanan:
        return unit, None
    service = unit.layanan.get(layanan)
    if service is None:
        fault = query_fault("layanan", "unknown-layanan", "no layanan of this OPD has this code")
        raise Refused(problem("not-found", errors=[fault]))
    return unit, service


def json_answer(body: msgspec.Struct) -> Answer:
    """A body as an answer."""
    return Answer.of(encode(body))

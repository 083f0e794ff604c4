"""Takes a file in, piece by piece, into PostgreSQL: this process never holds more of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from starlette.requests import ClientDisconnect, Request

from services.aggregate.imports.options import ImportOptions
from services.aggregate.read.queries import Queries
from shared.problems import Refused, problem
from shared.storage.engine import receiving
from shared.storage.imports import files

FILE_MAX_BYTES: Final = 1024 * 1024 * 1024
PIECE_BYTES: Final = 512 * 1024
UNFINISHED_MAX: Final = 20
SILENCE_MAX_S: Final = 30.0
_TOO_LARGE: Final = problem("too-large", "a file may have 1 GiB: divide it")
_TOO_SLOW: Final = problem("request-timeout", "nothing of the file came for 30 s")
_EMPTY: Final = problem("malformed-request", "the body is the file, and it is empty")


@dataclass(frozen=True, slots=True)
class Upload:
    """Where files are kept until they are read."""

    engine: sa.Engine
    queries: Queries

    async def receive(self, request: Request, channel: str, options: ImportOptions) -> UUID:
        """Keep the body of a request as a file to be imported; return the import's id.

        Raises Refused for a file that is empty, too large or too slow, and when many wait already.
        """
        if int(request.headers.get("content-length") or 0) > FILE_MAX_BYTES:
            raise Refused(_TOO_LARGE)
        import_id = uuid4()
        await self.queries.run(lambda: self._begin(import_id, channel, options))
        try:
            await self._keep(import_id, request)
        except BaseException:
            await asyncio.shield(self.queries.run(lambda: self.cancel(import_id)))
            raise
        return import_id

    def cancel(self, import_id: UUID) -> bool:
        """Cancel an import; False when it is over already."""
        with receiving(self.engine) as connection:
            return files.cancel(connection, import_id)

    def _begin(self, import_id: UUID, channel: str, options: ImportOptions) -> None:
        with receiving(self.engine) as connection:
            if files.unfinished(connection) >= UNFINISHED_MAX:
                raise Refused(problem("imports-full"))
            files.begin(connection, import_id, channel, options.as_stored())

    async def _keep(self, import_id: UUID, request: Request) -> None:
        size_bytes = number = 0
        async for piece in _pieces(request):
            size_bytes += len(piece)
            if size_bytes > FILE_MAX_BYTES:
                raise Refused(_TOO_LARGE)
            await self._keep_piece(import_id, number, piece)
            number += 1
        if not size_bytes:
            raise Refused(_EMPTY)

        def end() -> None:
            with receiving(self.engine) as connection:
                files.end_of_file(connection, import_id, size_bytes)

        await self.queries.run(end)

    async def _keep_piece(self, import_id: UUID, number: int, content: bytes) -> None:
        def keep() -> None:
            with receiving(self.engine) as connection:
                files.keep_piece(connection, import_id, number, content)

        await self.queries.run(keep)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    collected = bytearray()
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_MAX_S):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refused(_TOO_SLOW) from None
        except ClientDisconnect:
            raise Refused(problem("malformed-request", "the upload ended early")) from None
        if chunk is None:
            break
        collected += chunk
        while len(collected) >= PIECE_BYTES:
            yield bytes(collected[:PIECE_BYTES])
            del collected[:PIECE_BYTES]
    if collected:
        yield bytes(collected)

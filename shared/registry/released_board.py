"""The released index of every layanan and OPD, for those who cannot ask PostgreSQL.

A worker publishes it in Redis, ingest keeps it in memory: public figures only, which anybody may
read. It is behind by some seconds, as everything public is behind anyway.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

WINDOWS: Final = ("12m", "all")  # the first that has an index is shown


class ReleasedHeadline(msgspec.Struct, frozen=True):
    """What is public of a layanan, or of a whole OPD (layanan empty), under one window."""

    opd: str
    layanan: str
    window: str
    ikm: Decimal
    mutu: str
    respondents: int


Board = Mapping[tuple[str, str], ReleasedHeadline]
_decode: Final = msgspec.json.Decoder(list[ReleasedHeadline]).decode


def publish(redis: Redis, prefix: str, headlines: Iterable[ReleasedHeadline]) -> bool:
    """Store the board in Redis unless it is there already; tell whether it was stored."""
    ordered = sorted(headlines, key=lambda headline: (headline.opd, headline.layanan))
    content = msgspec.json.encode(ordered)
    if cast("bytes | None", redis.get(_key(prefix))) == content:
        return False
    redis.set(_key(prefix), content)
    return True


async def fetch(redis: AsyncRedis, prefix: str) -> Board:
    """Return the board in Redis; an empty one when there is none."""
    content = await redis.get(_key(prefix))
    headlines = _decode(content) if content else []
    return {(headline.opd, headline.layanan): headline for headline in headlines}


def _key(prefix: str) -> str:
    return f"{prefix}released"

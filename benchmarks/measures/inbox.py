"""An inbox filled as ingest fills it, and the wait until a worker has emptied it."""

import asyncio
import json
import time
from collections.abc import Sequence

from benchmarks.load.sample import CHANNEL
from benchmarks.running.product import Product
from shared.broker import DRAIN, celery_app
from shared.connections import ingest_redis
from shared.domain.submission.identity import ReceiptMaker
from shared.inbox.entry import Parcel
from shared.inbox.writer import Writer
from shared.storage.engine import opened
from shared.storage.registry import stored_registry

# What one group commit holds while 64 connections post one submission at a time.
PARCELS = 64
PATIENCE_S = 60.0

TABLES = "receipt, response, parked, inbox_entry, ledger, day_tally, opd_state, rolling_ikm"


class NotCounted(Exception):
    """The inbox did not become empty."""


def entries(product: Product, bodies: Sequence[bytes]) -> list[list[Parcel]]:
    """Return the bodies as parcels of inbox entries, one submission a parcel."""
    with opened(product.settings.need_database()) as engine, engine.connect() as connection:
        maker = ReceiptMaker(stored_registry.read_secret(connection))
    now = time.time_ns() // 1000
    parcels = []
    for body in bodies:
        name = json.loads(body)["id"]
        parcels.append(Parcel(CHANNEL, now, maker.receipts(CHANNEL, [name]), [name], [body]))
    return [parcels[start : start + PARCELS] for start in range(0, len(parcels), PARCELS)]


def fill(product: Product, filling: Sequence[Sequence[Parcel]]) -> None:
    """Append the entries, one at a time."""
    asyncio.run(_fill(product, filling))


async def _fill(product: Product, filling: Sequence[Sequence[Parcel]]) -> None:
    redis = ingest_redis(product.settings.redis_url, timeout_s=10)
    writer = Writer(redis, product.settings.redis_prefix)
    for parcels in filling:
        await writer.append(parcels, len(parcels))
    await redis.aclose()


def hint(product: Product, number: int = 1) -> None:
    """Tell the workers that the inbox holds something."""
    with celery_app(product.settings) as celery:
        for _ in range(number):
            celery.send_task(DRAIN)


def seconds_until_counted(product: Product, workers: int = 1) -> float:
    """Hint, then wait until nothing waits any more."""
    reader = product.reader()
    waiting = reader.depth().waiting
    started = progress = time.perf_counter()
    hint(product, workers)
    while waiting:
        time.sleep(0.01)
        left = reader.depth().waiting
        if left < waiting:
            waiting, progress = left, time.perf_counter()
        elif time.perf_counter() - progress > PATIENCE_S:
            raise NotCounted(
                f"{left} submissions wait, and nothing happened for {PATIENCE_S:.0f} s: "
                "see the worker's log"
            )
    return time.perf_counter() - started


def clear(product: Product) -> None:
    """Empty the tables of counting, and let the database settle."""
    with product.connect() as connection:
        connection.execute(f"TRUNCATE {TABLES}")
        connection.execute("CHECKPOINT")


def counted(product: Product) -> int:
    """Return the number of responses."""
    with product.connect() as connection:
        row = connection.execute("SELECT count(*)::int FROM response").fetchone()
    assert row is not None
    return int(str(row[0]))

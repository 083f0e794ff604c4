"""A worker to count with: real servers, a small registry, submissions as ingest stores them."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from services.aggregate.counting.judgement import Judgement
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.drain import drain
from shared.broker import celery_app
from shared.connections import ingest_redis
from shared.domain.submission.identity import RECEIPT_BYTES
from shared.inbox.entry import Parcel
from shared.inbox.writer import Writer
from shared.registry.file import parse
from shared.settings import Settings
from shared.storage import ledger, tables
from shared.storage.engine import transaction
from shared.storage.registry import registry_change
from tests.builders import stopped_clock, submission_json

NOW = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
NOW_US = round(NOW.timestamp() * 1_000_000)
REGISTRY = """
instansi: {code: uji, name: Kota Uji, timezone: Asia/Jakarta}
questionnaires:
  - code: singkat
    name: Singkat
    unsur:
      - {code: S1, key: a, name: A, question: "?", options: [a, b, c, d], weight: 3}
      - {code: S2, key: b, name: B, question: "?", options: [a, b, c, d], required: false}
opd:
  - code: disdukcapil
    name: Disdukcapil
    layanan:
      - {code: ktp-el, name: KTP}
      - {code: kk, name: KK, valid_to: 2026-03-31}
  - code: dinkes
    name: Dinkes
    layanan: [{code: puskesmas, name: Puskesmas}, {code: lab, name: Lab, questionnaire: singkat}]
channels: [{name: loket, kind: api}, {name: kiosk, kind: api}]
"""
COUNTED_TABLES = (tables.response, tables.day_tally, tables.parked)


class Sent(NamedTuple):
    """One submission as a sender sends it."""

    source_id: str
    body: bytes
    channel: str = "loket"
    received_us: int = NOW_US


def sent(source_id: str, channel: str = "loket", received_us: int = NOW_US, **changes: Any) -> Sent:
    """A submission of this id; see tests.builders.submission for the changes."""
    return Sent(source_id, submission_json(id=source_id, **changes), channel, received_us)


def answers(digits: str) -> dict[str, int]:
    """The answers of the standard questionnaire, from digits."""
    return {f"U{number}": int(digit) for number, digit in enumerate(digits, start=1)}


def parcel(items: Sequence[Sent]) -> Parcel:
    """Submissions of one channel, received together, as ingest packs them.

    Their receipts follow from no secret: the worker makes those that do.
    """
    receipts = bytes(RECEIPT_BYTES * len(items))
    ids, bodies = [item.source_id for item in items], [item.body for item in items]
    return Parcel(items[0].channel, items[0].received_us, receipts, ids, bodies)


def entry(items: Sequence[Sent]) -> list[Parcel]:
    """The parcels of one entry: a parcel for each submission."""
    return [parcel([item]) for item in items]


def append(redis_url: str, *entries: Sequence[Parcel]) -> None:
    """Append entries as ingest does."""

    async def run() -> None:
        async with ingest_redis(redis_url, timeout_s=5) as client:
            writer = Writer(client, "ikm:")
            for parcels in entries:
                await writer.append(parcels, sum(len(packed.bodies) for packed in parcels))
            await writer.close()

    asyncio.run(run())


def put(redis_url: str, *items: Sent) -> None:
    """Append submissions, together in one entry."""
    append(redis_url, entry(items))


def apply(engine: sa.Engine, source: str = REGISTRY, now: datetime = NOW) -> None:
    """Apply a registry file."""
    with transaction(engine) as connection:
        registry_change.apply(connection, parse(source), now)


def settings(database_url: str, redis_url: str, **changes: str) -> Settings:
    """Settings for these servers."""
    return Settings.load(database_url=database_url, redis_url=redis_url, home="/nowhere", **changes)


@contextmanager
def worker_context(database_url: str, redis_url: str, **changes: str) -> Iterator[WorkerContext]:
    """What one worker process holds open."""
    configured = settings(database_url, redis_url, **changes)
    with celery_app(configured) as app:
        context = WorkerContext(configured, app)
        try:
            yield context
        finally:
            context.engine.dispose()
            context.redis.close()


def count(context: WorkerContext, now: datetime = NOW) -> int:
    """Drain the inbox at this time."""
    return drain(context, stopped_clock(now))


def rows(engine: sa.Engine, table: sa.Table, *without: str) -> list[str]:
    """The rows of a table, sorted, each as JSON."""
    columns = [column for column in table.c if column.name not in without]
    with engine.connect() as connection:
        selected = connection.execute(sa.select(*columns)).mappings()
        return sorted(json.dumps(dict(row), default=str, sort_keys=True) for row in selected)


def content(engine: sa.Engine) -> dict[str, list[str]]:
    """What counting wrote, apart from when something was received."""
    written = {table.name: rows(engine, table) for table in COUNTED_TABLES}
    return {**written, "receipt": rows(engine, tables.receipt, "received_at")}


def with_nul(judgement: Judgement) -> Judgement:
    """A judgement in which the comment "NUL" became what PostgreSQL cannot hold."""
    countable = [
        responses._replace(
            comments=["\0" if comment == "NUL" else comment for comment in responses.comments]
        )
        for responses in judgement.countable
    ]
    return judgement._replace(countable=countable)


def ledger_totals(engine: sa.Engine) -> tuple[int, int, int, int]:
    """accepted, counted, duplicate, parked."""

    with engine.connect() as connection:
        total = ledger.totals(connection)
    return total["accepted"], total["counted"], total["duplicate"], total["parked"]


def wait_for_lock(engine: sa.Engine) -> None:
    """Wait until some transaction waits for another."""
    deadline = time.monotonic() + 10
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < deadline
            time.sleep(0.01)

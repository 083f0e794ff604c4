"""A small city in which everything that is stored happened: counted, refreshed, parked, folded."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from services.aggregate.counting.batch import judged
from services.aggregate.counting.count import count as count_batch
from services.aggregate.counting.replay import Replay
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.verify.inbox_check import InboxReading, read_inbox
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.sweep import fold
from shared.inbox.audit import Audit
from shared.inbox.keys import Keys
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    Sent,
    answers,
    append,
    apply,
    count,
    entry,
    put,
    sent,
    worker_context,
)

NOW = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
CLOCK = stopped_clock(NOW)
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
      - {code: ktp-el, name: KTP, users_per_year: 900}
      - {code: kk, name: KK, users_per_year: 300, valid_to: 2026-03-31}
  - code: dinkes
    name: Dinkes
    layanan:
      - {code: puskesmas, name: Puskesmas, users_per_year: 800}
      - {code: lab, name: Lab, users_per_year: 90, questionnaire: singkat}
  - code: catatan-sipil
    name: Catatan Sipil
    valid_to: 2025-12-31
    successor: disdukcapil
    layanan: [{code: akta, name: Akta, users_per_year: 50}]
channels: [{name: loket, kind: api}, {name: kiosk, kind: api, opd: [disdukcapil]}]
"""
LATE_IN_THE_EVENING = "2026-05-03T23:30:00+07:00"
IN_MARCH = "2026-03-10T08:00:00+07:00"


def _some_of_may(first: int, size: int) -> list[Sent]:
    """Responses of this month, no two alike."""
    return [
        sent(
            f"may-{number}",
            submitted_at=LATE_IN_THE_EVENING if number % 2 else "2026-05-04T00:30:00+07:00",
            answers=answers(
                f"{4**9 + number:09d}"[-9:].translate(str.maketrans("056789", "123412"))
            ),
            respondent={"sex": "LP"[number % 2], "age": 20 + number, "education": "S1"},
        )
        for number in range(first, first + size)
    ]


ODD = (
    sent("kiosk", channel="kiosk", respondent=...),
    sent("lab-1", opd="dinkes", layanan="lab", answers={"S1": 3, "S2": None}),
    sent("lab-2", opd="dinkes", layanan="lab", answers={"S1": 3, "S2": 1}, submitted_at=IN_MARCH),
    sent("may-1", comment="another content under the same id"),
    sent("nowhere", opd="tidak-ada"),
)
OF_MARCH = (
    *(sent(f"ktp-{number}", submitted_at=IN_MARCH) for number in range(3)),
    *(sent(f"kk-{number}", layanan="kk", submitted_at=IN_MARCH) for number in range(2)),
    *(
        sent(f"puskesmas-{number}", opd="dinkes", layanan="puskesmas", submitted_at=IN_MARCH)
        for number in range(2)
    ),
)


@contextmanager
def small_city(database_url: str, redis_url: str) -> Iterator[tuple[WorkerContext, InboxReading]]:
    """Hold the city, and its inbox as it was read when all was done."""
    with worker_context(database_url, redis_url, takeover_idle="0") as context:
        apply(context.engine, REGISTRY, NOW)
        append(redis_url, entry(OF_MARCH), entry(_some_of_may(0, 6)))
        _counted_and_refreshed(context)
        assert fold(context)
        for first in (6, 12, 18):
            put(redis_url, *_some_of_may(first, 6))
            _counted_and_refreshed(context)
        put(redis_url, *ODD, sent("may-1"))
        context.redis.xadd(Keys.of("ikm:").stream, {"foreign": "entry"})
        _counted_and_refreshed(context)
        Replay(context.engine, clock=CLOCK).waiting("unknown-opd")
        _leave_unsettled(context, redis_url)
        refresh(context.engine, context.registry(), CLOCK, Cache())
        yield context, read_inbox(Audit(context.redis, "ikm:"))


def _counted_and_refreshed(context: WorkerContext) -> None:
    count(context, NOW)
    refresh(context.engine, context.registry(), CLOCK, Cache())


def _leave_unsettled(context: WorkerContext, redis_url: str) -> None:
    """Count an entry that stays in the stream, as a worker does that dies after its commit.

    Everything before it is folded, and another one comes after it.
    """
    epoch = context.inbox.epoch()
    put(redis_url, sent("unsettled"))
    batch = judged(context.judge(), context.inbox.claim(1), epoch)
    count_batch(context.engine, batch, context.judge_in, CLOCK)
    assert fold(context)
    put(redis_url, sent("last-1"), sent("last-2"))
    batch = judged(context.judge(), context.inbox.claim(1), epoch)
    count_batch(context.engine, batch, context.judge_in, CLOCK)
    context.inbox.settle(batch.entries)


def tamper(connection: sa.Connection, statement: str) -> None:
    """Change rows by hand, whatever refers to them."""
    connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
    assert connection.execute(sa.text(statement)).rowcount > 0, statement

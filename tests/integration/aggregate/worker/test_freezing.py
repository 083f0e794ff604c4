"""A worker process is frozen (SIGSTOP), others go on, it is thawed: everything counts once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from services.aggregate.verify.proof import verify
from services.aggregate.worker import sweep as sweeping
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.sweep import fold
from shared.inbox.audit import Audit
from shared.storage.driver.sessions import end_frozen_sessions
from shared.storage.engine import database_now, transaction
from tests.integration.aggregate.counting.counting import (
    append,
    apply,
    count,
    entry,
    ledger_totals,
    put,
    sent,
    worker_context,
)
from tests.integration.aggregate.worker import frozen_worker
from tests.integration.aggregate.worker.frozen_worker import ENDED_AFTER_S

LIMIT_S = 30
Point = Callable[[], None]


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url, takeover_idle="0") as worker:
        apply(worker.engine)
        put(redis_url, sent("a"))
        assert count(worker) == 1
        yield worker


@pytest.mark.parametrize(
    ("point", "source_id"),
    [
        (frozen_worker.after_the_claim, "a"),  # duplicates alone: no receipt could collide
        (frozen_worker.before_its_entry, "b"),
        (frozen_worker.in_the_middle_of_a_copy, "b"),
    ],
)
def test_a_thawed_worker_counts_nothing_twice(
    context: WorkerContext, database_url: str, redis_url: str, point: Point, source_id: str
) -> None:
    append(redis_url, entry([sent(source_id), sent("a")]), entry([sent("a")]))
    program = [sys.executable, "-m", frozen_worker.__name__]
    program += [database_url, redis_url, point.__name__]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        try:
            wait_until_frozen(process)
            if point is frozen_worker.in_the_middle_of_a_copy:
                end_what_is_frozen(context)
            assert count(context) == 3
            assert fold(context) == 1
            process.send_signal(signal.SIGCONT)
            output, _ = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 0
    assert output.startswith(b"failed") == (point is not frozen_worker.after_the_claim)
    counted = len({"a", source_id})
    assert ledger_totals(context.engine) == (4, counted, 4 - counted, 0)
    assert context.inbox.depth().waiting == 0
    assert not verify(context.engine, Audit(context.redis, "ikm:")).findings


def wait_until_frozen(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process has stopped itself."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


def end_what_is_frozen(context: WorkerContext) -> None:
    """End the session as the sweep does, when it has waited long enough."""
    deadline_s = time.monotonic() + LIMIT_S
    ended = 0
    while not ended:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
        with transaction(context.engine) as connection:
            ended = end_frozen_sessions(connection, ENDED_AFTER_S)
    assert ended == 1


def test_a_sweep_ends_frozen_sessions(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(sweeping, "end_frozen_sessions", lambda _: asked.append(1))
    sweeping.sweep(context, database_now)
    assert asked

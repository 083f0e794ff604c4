"""A Redis stopped, hung, full, read-only or not yet up: 503, Retry-After, within a second, no 202.

When it is well again, so is ingest, by itself and within seconds.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from services.ingest import watch
from services.ops.stack.servers import Redis
from shared.connections import worker_redis
from shared.inbox.reader import Reader
from shared.registry.publication import snapshot_key, version_key
from tests.builders import registry
from tests.integration.ingest.ingest_service import (
    PREFIX,
    accepted,
    eventually,
    post,
    serving,
    stored,
    tell,
)

WITHIN_S = 1.0
RECOVERY_S = 5.0
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def service(own_redis: Redis) -> Iterator[httpx.Client]:
    tell(own_redis.url)
    with serving(own_redis.url) as client:
        yield client


def refused(client: httpx.Client, source_id: str, code: str = "inbox-unavailable") -> None:
    started = time.monotonic()
    answer = post(client, source_id)
    assert time.monotonic() - started < WITHIN_S
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"


def ready(client: httpx.Client) -> bool:
    return client.get("/readyz").status_code == 200


def recovers(client: httpx.Client, source_id: str) -> None:
    eventually(lambda: accepted(client, source_id), RECOVERY_S)
    eventually(lambda: ready(client), RECOVERY_S)


def test_stopped(service: httpx.Client, own_redis: Redis) -> None:
    assert accepted(service, "before")
    own_redis.stop()
    for number in range(5):
        refused(service, f"during-{number}")
        time.sleep(0.15)  # over more than one look at the store
    assert not ready(service)
    own_redis.start()
    recovers(service, "after")
    assert set(stored(own_redis.connect())) == {"before", "after"}


@pytest.mark.parametrize("asked_before", [True, False])
def test_hung(service: httpx.Client, own_redis: Redis, asked_before: bool) -> None:
    assert accepted(service, "before")
    own_redis.signal(signal.SIGSTOP)
    try:
        if not asked_before:
            eventually(lambda: not ready(service), 2)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: refused(service, f"during-{number}"), range(24)))
    finally:
        own_redis.signal(signal.SIGCONT)
    recovers(service, "after")
    source_ids = stored(own_redis.connect())
    assert source_ids[0] == "before"
    assert source_ids[-1] == "after"


def test_full(service: httpx.Client, own_redis: Redis) -> None:
    with own_redis.connect() as redis:
        used = int(redis.info("memory")["used_memory"])
        redis.config_set("maxmemory", used + 300_000)
        said: dict[str, int] = {}
        while list(said.values()).count(503) < 20:  # at the brink the answer may change to and fro
            said[str(len(said))] = post(service, str(len(said)), comment="x" * 2000).status_code
            assert len(said) < 1000
        assert set(said.values()) == {202, 503}
        assert {name for name, status in said.items() if status == 202} == set(stored(redis))
        redis.config_set("maxmemory", used + 100_000_000)
        recovers(service, "after")


def test_full_to_the_last_byte(own_redis: Redis) -> None:
    """Redis itself refuses (OOM), with the share of memory that ingest leaves free switched off."""
    tell(own_redis.url)
    with serving(own_redis.url, inbox_memory="1000") as service, own_redis.connect() as redis:
        assert accepted(service, "before")
        redis.config_set("maxmemory", 1)
        for number in range(5):
            refused(service, f"during-{number}")
            time.sleep(0.15)
        redis.config_set("maxmemory", "1gb")
        recovers(service, "after")
        assert stored(redis) == ["before", "after"]


def test_read_only(service: httpx.Client, own_redis: Redis) -> None:
    with own_redis.connect() as redis:
        assert accepted(service, "before")
        redis.config_set("replica-read-only", "yes")
        redis.replicaof("nowhere.invalid", "6379")
        for number in range(5):
            refused(service, f"during-{number}")
            time.sleep(0.15)
        redis.replicaof("NO", "ONE")
        recovers(service, "after")
        assert stored(redis) == ["before", "after"]


def test_started_later(own_redis: Redis) -> None:
    own_redis.stop()
    with serving(own_redis.url) as service:
        refused(service, "early", "starting")
        assert service.get("/healthz").status_code == 200
        own_redis.start()
        time.sleep(0.7)
        refused(service, "still-without-registry", "starting")
        tell(own_redis.url)
        recovers(service, "after")
        assert stored(own_redis.connect()) == ["after"]


def test_killed_and_started_under_load(service: httpx.Client, own_redis: Redis) -> None:
    """What was answered with 202 is on disk: it is there after SIGKILL, every time."""
    acknowledged: set[str] = set()
    stop = False

    def send(sender: int) -> None:
        number = 0
        while not stop:
            number += 1
            name = f"{sender}-{number}"
            if accepted(service, name):
                acknowledged.add(name)
            else:
                time.sleep(0.05)

    with ThreadPoolExecutor(4) as pool:
        try:
            running = [pool.submit(send, sender) for sender in range(4)]
            for _ in range(3):
                enough = len(acknowledged) + 20
                eventually(partial(_more_than, acknowledged, enough), 10)
                own_redis.kill()
                own_redis.start()
                assert acknowledged <= set(stored(own_redis.connect()))
        finally:
            stop = True
        for future in running:
            future.result()
    assert acknowledged <= set(stored(own_redis.connect()))


def test_one_that_was_emptied_is_filled_again(service: httpx.Client, own_redis: Redis) -> None:
    assert accepted(service, "before")
    with own_redis.connect() as redis:
        redis.flushall()
        assert accepted(service, "after")
        assert stored(redis) == ["after"]


def test_an_inbox_over_its_limit(own_redis: Redis) -> None:
    tell(own_redis.url)
    with serving(own_redis.url, inbox_limit="5") as service, worker_redis(own_redis.url) as redis:
        reader = Reader(redis, PREFIX, "uji")
        reader.prepare()
        assert all(accepted(service, str(number)) for number in range(5))
        refused(service, "too many", "inbox-full")
        state = service.get("/readyz").json()
        assert (state["ready"], state["reason"]) == (False, "inbox-full")
        reader.settle(reader.claim(100))
        recovers(service, "after")


def test_a_registry_that_cannot_be_read_accepts_nothing_after_a_while(
    service: httpx.Client, own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the one that revokes the key."""
    monkeypatch.setattr(watch, "REGISTRY_MAX_AGE_S", 0.7)
    zone = registry(8).encode().replace(b"Asia/Jakarta", b"Asia/Nowhere")
    with own_redis.connect() as redis:
        for version, snapshot in enumerate((b"{", b"\xff", b"[]", zone), start=8):
            assert accepted(service, f"before-{version}")
            redis.mset({snapshot_key(PREFIX): snapshot, version_key(PREFIX): version})
            eventually(lambda: not ready(service), 5)
            refused(service, "during")
            tell(own_redis.url, registry(version + 100))
            redis.mset(
                {snapshot_key(PREFIX): registry(version).encode(), version_key(PREFIX): version}
            )
            recovers(service, f"after-{version}")


def _more_than(held: set[str], number: int) -> bool:
    return len(held) > number

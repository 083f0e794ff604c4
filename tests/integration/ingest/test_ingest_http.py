"""The contract of ingest over HTTP: every status, the probes, and changes to a running process."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.ingest import body
from services.ops.stack.servers import Redis
from shared.domain.submission.identity import receipt_text
from shared.registry.snapshot import AccessKey, Layanan, Opd
from tests.builders import (
    KEY,
    OTHER_KEY,
    READ_KEY,
    RECEIPT_MAKER,
    authorization,
    key_hash,
    registry,
    submission,
    submission_json,
)
from tests.integration.ingest.ingest_service import (
    PREFIX,
    accepted,
    eventually,
    post,
    serving,
    stored,
    tell,
)

JSON = {"content-type": "application/json", **authorization()}
MIB = 1024 * 1024
WITHIN_S = 5.0  # for what changes in the registry


@pytest.fixture(scope="module")
def service(redis_server: Redis) -> Iterator[httpx.Client]:
    """One for the module: it keeps its registry when a test empties the Redis of the session."""
    with redis_server.connect() as redis:
        redis.flushall()
    tell(redis_server.url)
    with serving(redis_server.url) as client:
        yield client


def refused(answer: httpx.Response, status: int, code: str, *pointers: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    said = answer.json()
    assert (said["status"], said["code"], said["type"]) == (status, code, f"/docs/problems#{code}")
    assert said["title"]
    assert said["judul"]
    assert [error["pointer"] for error in said.get("errors", [])] == list(pointers)


def test_202_says_what_was_stored(service: httpx.Client, redis_server: Redis) -> None:
    answer = post(service, "satu")
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    expected = receipt_text(RECEIPT_MAKER.receipts("loket", ["satu"]))
    assert answer.json() == {"accepted": 1, "receipts": [expected], "refused": []}
    assert "satu" in stored(redis_server.connect())


def test_the_same_submission_has_the_same_receipt(service: httpx.Client) -> None:
    assert post(service, "dua").json() == post(service, "dua").json()


ANSWERS = tuple(f"/answers/U{number}" for number in range(1, 10))
REFUSED: dict[str, tuple[bytes, dict[str, str], int, str, tuple[str, ...]]] = {
    "no JSON": (b"{", JSON, 400, "malformed-json", ("",)),
    "no body": (b"", JSON, 400, "malformed-json", ("",)),
    "no key": (submission_json(), {"content-type": "application/json"}, 401, "unauthorized", ()),
    "unknown key": (submission_json(), JSON | authorization("lain"), 401, "unauthorized", ()),
    "no bearer": (
        submission_json(),
        JSON | {"authorization": f"Basic {KEY}"},
        401,
        "unauthorized",
        (),
    ),
    "outside its OPD": (
        submission_json(),
        JSON | authorization(OTHER_KEY),
        403,
        "forbidden",
        ("/opd",),
    ),
    "over 1 MiB": (submission_json(comment="x" * MIB), JSON, 413, "too-large", ("",)),
    "over 10,000": (b"[" + b"0," * 10_000 + b"0]", JSON, 413, "too-large", ("",)),
    "over 10 MiB": (b" " * (10 * MIB + 1), JSON, 413, "too-large", ()),
    "text": (b"x", JSON | {"content-type": "text/plain"}, 415, "unsupported-media-type", ("",)),
    "encoded": (
        submission_json(),
        JSON | {"content-encoding": "gzip"},
        415,
        "unsupported-media-type",
        (),
    ),
    "invalid": (
        submission_json(opd=5, answers={}),
        JSON,
        422,
        "invalid-submission",
        ("/opd", *ANSWERS),
    ),
    "empty batch": (b"[]", JSON, 422, "invalid-submission", ("",)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_with_a_request(service: httpx.Client, what: str) -> None:
    content, headers, status, code, pointers = REFUSED[what]
    refused(
        service.post("/v1/submissions", content=content, headers=headers), status, code, *pointers
    )


@pytest.mark.parametrize("path", ["/v1/submissions", "/v1/events"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_405_says_what_is_allowed(service: httpx.Client, method: str, path: str) -> None:
    answer = service.request(method, path)
    refused(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


def test_404(service: httpx.Client) -> None:
    refused(service.post("/v1/nothing", headers=JSON), 404, "not-found")
    refused(service.get("/"), 404, "not-found")


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_a_chunked_body_is_read_whole(service: httpx.Client, size: int) -> None:
    lines = b"\n".join(submission_json(id=f"chunk-{number}") for number in range(1000))
    chunks = (
        (lines[start : start + size] for start in range(0, len(lines), size))
        if size > 1
        else iter([lines])
    )
    answer = service.post(
        "/v1/submissions", content=chunks, headers=JSON | {"content-type": "application/x-ndjson"}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1000)


def test_a_chunked_body_over_the_limit_is_refused(service: httpx.Client) -> None:
    refused(
        service.post("/v1/submissions", content=(b" " * MIB for _ in range(12)), headers=JSON),
        413,
        "too-large",
    )
    assert accepted(service, "after it")


def raw(service: httpx.Client, *parts: bytes, pause: float = 0.05) -> bytes:
    """What the server says to these bytes, sent in turn on a connection of their own."""
    with socket.create_connection(
        (service.base_url.host, service.base_url.port or 80), timeout=10
    ) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        connection.settimeout(3)
        said = connection.recv(65_536)
        while b"\r\n\r\n" not in said:
            said += connection.recv(65_536)
        return said


HEAD = (
    b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer " + KEY.encode()
)


def test_a_body_that_comes_slowly_is_waited_for(service: httpx.Client) -> None:
    content = submission_json(id="slow")
    head = HEAD + b"\r\nContent-Length: " + str(len(content)).encode() + b"\r\n\r\n"
    assert raw(service, head, content).startswith(b"HTTP/1.1 202")
    assert raw(service, head, content[:10], content[10:]).startswith(b"HTTP/1.1 202")
    assert raw(service, head + content).startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize("begin", [b"", b"{"])
def test_408_for_a_body_that_does_not_come(
    service: httpx.Client, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(body, "TIMEOUT_S", 0.1)
    said = raw(service, HEAD + b"\r\nContent-Length: 10\r\n\r\n" + begin)
    assert said.startswith(b"HTTP/1.1 408")
    assert b'"code":"request-timeout"' in said


def test_half_a_body_is_not_stored(
    service: httpx.Client, redis_url: str, redis_server: Redis
) -> None:
    content = submission_json(id="half")
    with socket.create_connection(
        (service.base_url.host, service.base_url.port or 80)
    ) as connection:
        connection.sendall(HEAD + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        time.sleep(0.05)
    assert accepted(service, "whole")
    assert stored(redis_server.connect()) == ["whole"]


def test_100_continue(service: httpx.Client) -> None:
    content = submission_json(id="continue")
    head = (
        HEAD
        + b"\r\nExpect: 100-continue\r\nContent-Length: "
        + str(len(content)).encode()
        + b"\r\n\r\n"
    )
    assert raw(service, head).startswith(b"HTTP/1.1 100 Continue")
    assert raw(service, head.replace(KEY.encode(), b"lain")).startswith(b"HTTP/1.1 401")


def test_a_batch_of_the_largest_size(
    service: httpx.Client, redis_url: str, redis_server: Redis
) -> None:
    items = [submission(id=f"{number:05}", comment="x" * 680) for number in range(10_000)]
    content = "\n".join(json.dumps(item) for item in items).encode()
    assert 9 * MIB < len(content) <= 10 * MIB
    answer = service.post(
        "/v1/submissions", content=content, headers=JSON | {"content-type": "application/x-ndjson"}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 10_000)
    assert stored(redis_server.connect()) == [item["id"] for item in items]


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        (
            {"content-type": "application/cloudevents+json"},
            {
                "specversion": "1.0",
                "id": "1",
                "source": "/loket/3",
                "type": "x",
                "data": submission(),
            },
        ),
        (
            {"ce-specversion": "1.0", "CE-ID": "1", "Ce-Source": "/loket/3", "ce-type": "x"},
            submission(),
        ),
        (
            {"content-type": "application/cloudevents-batch+json"},
            [
                {
                    "specversion": "1.0",
                    "id": "1",
                    "source": "/loket/3",
                    "type": "x",
                    "data": submission(),
                }
            ],
        ),
    ],
    ids=["structured", "binary", "batch"],
)
def test_an_event_in_every_mode_is_the_same_submission(
    service: httpx.Client,
    redis_url: str,
    redis_server: Redis,
    headers: dict[str, str],
    content: object,
) -> None:
    answer = service.post("/v1/events", content=json.dumps(content), headers=JSON | headers)
    assert (answer.status_code, stored(redis_server.connect())) == (202, ["/loket/3 1"])


def test_the_probes(service: httpx.Client, redis_url: str) -> None:
    assert service.get("/healthz").json() == {"status": "ok"}
    state = service.get("/readyz").json()
    assert state == {
        "ready": True,
        "reason": None,
        "durability": {
            "promise": "disk",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory_policy": "noeviction",
            "no_appendfsync_on_rewrite": "no",
        },
        "store": {"outdated": False},
        "registry": 1,
    }


def test_metrics_need_a_key_that_reads_all_unless_they_are_open(
    service: httpx.Client, redis_url: str
) -> None:
    statuses = [
        service.get("/metrics", headers=headers).status_code
        for headers in ({}, authorization("x"), authorization(KEY), authorization(READ_KEY))
    ]
    assert statuses == [401, 401, 403, 200]
    tell(redis_url)
    with serving(redis_url, metrics="open") as opened:
        assert opened.get("/metrics").status_code == 200


def test_a_key_that_only_reads_may_not_submit(service: httpx.Client) -> None:
    answer = post(service, "baca", READ_KEY)
    refused(answer, 403, "forbidden")
    assert "may read, not submit" in answer.json()["detail"]


def test_the_metrics_count_what_was_answered(service: httpx.Client) -> None:
    def values() -> dict[str, float]:
        lines = [
            line.rpartition(" ")
            for line in service.get("/metrics", headers=authorization(READ_KEY)).text.splitlines()
            if line[:1] != "#"
        ]
        return {name: float(value) for name, _, value in lines}

    stored_now = 'ikm_ingest_submissions_total{format="submissions",outcome="accepted"}'
    refused_now = 'ikm_ingest_refused_requests_total{code="invalid-submission"}'
    before = values()
    assert accepted(service, "counted")
    assert not accepted(service, "refused", opd="")
    after = values()
    assert after[stored_now] - before.get(stored_now, 0) == 1
    assert after[refused_now] - before.get(refused_now, 0) == 1
    assert (after["ikm_ingest_accepting"], after["ikm_registry_version"]) == (1, 1)


@pytest.mark.parametrize(
    ("setting", "value", "promise"),
    [
        ("appendfsync", "always", "disk"),
        ("appendfsync", "everysec", "second"),
        ("appendfsync", "no", "memory"),
        ("appendonly", "no", "memory"),
        ("maxmemory-policy", "allkeys-lru", "memory"),
        ("no-appendfsync-on-rewrite", "yes", "memory"),
    ],
)
def test_readiness_says_what_a_202_promises(
    own_redis: Redis, setting: str, value: str, promise: str
) -> None:
    with own_redis.connect() as redis:
        redis.config_set(setting, value)
    tell(own_redis.url)
    with serving(own_redis.url) as service:
        answer = service.get("/readyz")
        assert (answer.status_code, answer.json()["durability"]["promise"]) == (200, promise)
        assert accepted(service, "anyway")


def test_a_promise_that_cannot_be_asked_for_is_unknown(own_redis: Redis) -> None:
    """Managed servers forbid CONFIG."""
    tell(own_redis.url)
    with own_redis.connect() as redis:
        redis.acl_setuser(
            "masuk", enabled=True, passwords=["+rahasia"], keys="*", commands=["+@all", "-config"]
        )
    with serving(f"{own_redis.url}?username=masuk&password=rahasia") as service:
        assert service.get("/readyz").json()["durability"]["promise"] == "unknown"
        assert accepted(service, "anyway")


def test_what_changes_in_the_registry_takes_effect_in_a_running_process(own_redis: Redis) -> None:
    url, original = own_redis.url, registry()
    tell(url, original)
    with serving(url) as service:
        assert accepted(service, "1")

        assert post(service, "2", "kunci-baru").status_code == 401
        tell(
            url,
            replace(
                original,
                version=2,
                keys={**original.keys, key_hash("kunci-baru"): AccessKey("k3", "loket")},
            ),
        )
        took = {"a new key": eventually(lambda: accepted(service, "2", "kunci-baru"), WITHIN_S)}

        assert post(service, "3", OTHER_KEY).status_code == 403
        wider = replace(original.channels["dinkes"], opd=frozenset({"dinkes", "disdukcapil"}))
        tell(url, replace(original, version=3, channels={**original.channels, "dinkes": wider}))
        took["a new OPD of a channel"] = eventually(
            lambda: accepted(service, "3", OTHER_KEY), WITHIN_S
        )

        short: dict[str, Any] = {"opd": "baru", "layanan": "cepat", "answers": {"1-a": 4, "U3": 4}}
        assert post(service, "4", **short).status_code == 422
        fresh = Opd(
            "baru", "Baru", layanan={"cepat": Layanan("cepat", "Cepat", questionnaire="singkat")}
        )
        tell(url, replace(original, version=4, opd={**original.opd, "baru": fresh}))
        took["a new OPD with a questionnaire"] = eventually(
            lambda: accepted(service, "4", **short), WITHIN_S
        )

        tell(
            url,
            replace(
                original, version=5, keys={key_hash(OTHER_KEY): original.keys[key_hash(OTHER_KEY)]}
            ),
        )
        took["a revoked key"] = eventually(lambda: post(service, "5").status_code == 401, WITHIN_S)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert post(service, "6").status_code in {401, 429}  # refused, and in the end slowed
        print({what: round(seconds, 2) for what, seconds in took.items()})
        assert "6" not in stored(own_redis.connect())


def test_an_older_registry_does_not_come_back(own_redis: Redis) -> None:
    """Who publishes late, or from a state before, brings no revoked key to life."""
    tell(own_redis.url, registry(9, keys={}))
    with serving(own_redis.url) as service:
        assert post(service, "1").status_code == 401
        tell(own_redis.url, registry(8))
        time.sleep(1.2)
        assert post(service, "1").status_code == 401


def test_ingest_stops_while_redis_is_hung(own_redis: Redis) -> None:
    tell(own_redis.url)
    try:
        with serving(own_redis.url) as service:
            assert accepted(service, "1")
            own_redis.signal(signal.SIGSTOP)
            assert post(service, "2").status_code == 503
            started = time.monotonic()
        assert time.monotonic() - started < 5
    finally:
        own_redis.signal(signal.SIGCONT)


def test_the_prefix_is_all_that_it_touches(own_redis: Redis) -> None:
    tell(own_redis.url)
    with serving(own_redis.url) as service, own_redis.connect() as redis:
        assert accepted(service, "1")
        eventually(lambda: len(redis.keys()) >= 5, 3)
        assert all(name.startswith(PREFIX.encode()) for name in redis.scan_iter())

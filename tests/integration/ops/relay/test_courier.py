"""What waits in an outbox reaches the real service once, in order of age, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from redis import Redis

from services.ops.client import Client
from services.ops.errors import InUse
from services.ops.relay.courier import LONGEST_PAUSE_S, Courier
from services.ops.relay.listener import listening
from services.ops.relay.outbox import Outbox
from shared.connections import worker_redis
from shared.progress import untold
from tests.builders import KEY, submission, submission_json
from tests.integration.ingest.ingest_service import eventually, serving, stored, tell

RATE = 1000.0


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An empty outbox."""
    opened = Outbox(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def service(redis_url: str) -> Iterator[str]:
    """The address of a running ingest service."""
    tell(redis_url)
    with serving(redis_url) as client:
        eventually(lambda: client.get("/readyz").is_success, within=10)
        yield str(client.base_url)


def put(folder: Path, name: str, age_s: float, body: bytes) -> Path:
    path = folder / f"{name}.json"
    path.write_bytes(body)
    written = time.time() - age_s
    os.utime(path, (written, written))
    return path


def is_below(folder: Path, most: int) -> bool:
    return len(list(folder.glob("*.json"))) < most


def inbox(redis_url: str) -> list[str]:
    with worker_redis(redis_url) as client:
        assert isinstance(client, Redis)
        return stored(client)


def test_the_oldest_goes_first_and_the_refused_aside_with_its_reason(
    outbox: Outbox, service: str, redis_url: str
) -> None:
    folder = outbox.folder
    put(folder, "muda", 60, submission_json(id="muda"))
    put(folder, "tua", 120, submission_json(id=...))
    put(folder, "salah", 90, submission_json(id="salah", answers={"U1": 9}))
    put(folder, "lain", 80, submission_json(id="lain", opd="dinkes", layanan="puskesmas"))
    put(folder, "rusak", 70, b'{"id":')
    put(folder, "ditulis", 0, b'{"id":')  # still being written
    put(folder, ".sembunyi", 70, submission_json(id="x"))
    with Client(service) as client:
        courier = Courier(outbox, client, KEY, RATE)
        assert courier.round(untold)
    assert inbox(redis_url) == ["tua", "lain", "muda"]  # without an id: the name of the file
    assert [path.name for path in outbox.waiting()] == ["ditulis.json"]
    aside = {path.name for path in (folder / "refused").iterdir()}
    assert aside == {"salah.json", "salah.reason.txt", "rusak.json", "rusak.reason.txt"}
    assert "/answers/U1" in (folder / "refused" / "salah.reason.txt").read_text()
    assert (courier.delivered, courier.refused) == (3, 2)


def test_without_a_service_or_with_a_wrong_key_everything_waits(
    outbox: Outbox, service: str
) -> None:
    put(outbox.folder, "satu", 60, submission_json(id="satu"))
    for address, key in (("http://127.0.0.1:9", KEY), (service, "kunci-salah")):
        with Client(address) as client:
            courier = Courier(outbox, client, key, RATE)
            assert not courier.round(untold)
            assert courier.failures == 1
            assert len(outbox.waiting()) == 1


def test_pauses_grow_and_are_drawn_by_lot(outbox: Outbox) -> None:
    with Client("http://127.0.0.1:9") as client:
        courier = Courier(outbox, client, KEY, RATE)
        for failures, longest_s in ((1, 2.0), (3, 8.0), (500, LONGEST_PAUSE_S)):
            courier.failures = failures
            pauses = {courier.pause_s() for _ in range(20)}
            assert len(pauses) > 1
            assert all(longest_s / 2 <= pause <= longest_s for pause in pauses)


def test_a_folder_has_one_relay(outbox: Outbox) -> None:
    with pytest.raises(InUse):
        Outbox(outbox.folder)


def test_the_listener_keeps_what_it_answers_for(outbox: Outbox) -> None:
    with (
        listening(0, outbox) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        for _ in range(3):
            answer = client.post("/v1/submissions", json=submission(id="satu"))
            assert answer.status_code == 202
        [path] = outbox.waiting()
        assert json.loads(path.read_bytes()) == submission(id="satu")
        key = {"idempotency-key": '"dua"'}
        answer = client.post("/v1/submissions", json=submission(id=...), headers=key)
        assert answer.json()["id"] == "dua"
        refusals = [
            client.post("/", json={}),
            client.post("/v1/submissions", content=b"{}"),
            client.post("/v1/submissions", json=[]),
            client.post("/v1/submissions", json=submission(id=...)),
            client.post("/v1/submissions", json=submission(comment="x" * 2_000_000)),
        ]
        assert [answer.status_code for answer in refusals] == [404, 415, 422, 422, 413]
    assert len(outbox.waiting()) == 2


def test_killed_at_any_point_it_loses_and_doubles_nothing(
    tmp_path: Path, service: str, redis_url: str
) -> None:
    folder, key_file = tmp_path / "kotak", tmp_path / "kunci"
    folder.mkdir()
    key_file.write_text(KEY)
    for number in range(60):
        put(folder, f"{number:03}", 1000 - number, submission_json(id=f"{number:03}"))
    command = [
        *(sys.executable, "-m", "services.ops.cli", "relay", str(folder), "--url", service),
        *("--key-file", str(key_file), "--rate", "100"),
    ]
    for _ in range(2):
        before = len(list(folder.glob("*.json")))
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            eventually(partial(is_below, folder, before - 5), within=20)
            process.send_signal(signal.SIGKILL)
    assert subprocess.run([*command, "--once"], check=False).returncode == 0
    names = inbox(redis_url)
    assert set(names) == {f"{number:03}" for number in range(60)}
    assert list(dict.fromkeys(names)) == sorted(set(names))

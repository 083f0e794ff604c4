"""Attackers with whole requests: floods of violations, spellings and lengths; refused keys."""

import json

import httpx
import pytest

from shared.registry.refused_keys import ADDRESS_MAX
from tests.attack.attacked_service import Attacked, answer_of
from tests.attack.scale import SCALE
from tests.builders import submission_json

ANSWER_MAX_BYTES = 1024 * 1024
POST = b"POST /v1/submissions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer %s\r\n"


def violations(kind: str) -> bytes:
    """A body of nearly 10 MiB that is wrong everywhere."""
    if kind == "members":
        unknown = ",".join(f'"{index:x}":1' for index in range(100))
        return b"\n".join([b"{%s}" % unknown.encode()] * 10_000)
    if kind == "long names":
        return b"\n".join([b'{"%s":1}' % (b"x" * 1000)] * 9_000)
    if kind == "empty lists":
        return b"\n".join([b'{"answers":[%s]}' % b",".join([b"[]"] * 300_000)] * 10)
    return b'{"answers":{%s}}' % ",".join(f'"{index}":9' for index in range(80_000)).encode()


@pytest.mark.parametrize("kind", ["members", "long names", "empty lists", "answers"])
def test_a_flood_of_violations_is_answered_shortly(attacked: Attacked, kind: str) -> None:
    body = violations(kind)
    headers = {
        "authorization": f"Bearer {attacked.key}",
        "content-type": "application/x-ndjson",
    }
    answer = attacked.client.post("/v1/submissions", content=body, headers=headers)
    with attacked.watched() as seen:
        for _ in range(2 * SCALE):
            attacked.client.post("/v1/submissions", content=body, headers=headers)
    assert answer.status_code == 422
    assert len(answer.content) < ANSWER_MAX_BYTES
    listed = sum(len(item["errors"]) for item in answer.json()["refused"])
    assert listed + len(answer.json()["errors"]) <= 1000
    seen.assert_harmless()


def test_spellings_of_one_question_fill_no_memory(attacked: Attacked) -> None:
    """Each is answered, and few are kept."""
    with attacked.watched() as seen:
        for index in range(600 * SCALE):
            spelt = "".join(f"%{ord(letter):02x}" for letter in "all")
            window = "all" if index % 2 else spelt
            attacked.client.get(f"/v1/ikm?{'&' * (index // 2)}window={window}")
    seen.assert_harmless()


PAGES = ("/", "/docs", "/docs/problems", "/docs/docs.js")
PROBES = ("/healthz", "/readyz", "/metrics", "/openapi.json")
LENGTHS = {
    "long": b"9" * 5000,
    "huge": b"9" * 20,
    "negative": b"-1",
    "signed": b"+1",
    "spaced": b"1 1",
    "empty": b"",
    "a list": b"1, 1",
    "twice": b"1\r\ncontent-length: 1",
    "twice, different": b"1\r\ncontent-length: 2",
    "with chunks": b"1\r\ntransfer-encoding: chunked",
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_length_that_is_none_is_a_bad_request(attacked: Attacked, name: str) -> None:
    head = POST % attacked.key.encode() + b"content-length: " + LENGTHS[name] + b"\r\n\r\n"
    with attacked.connect() as connection:
        connection.sendall(head + b"0\r\n\r\n")
        head, _, body = answer_of(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert json.loads(body)["code"] == "malformed-request"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/submissions/", 404), ("/healthz/", 404), ("/v1/ikm/", 404), ("/docs/", 404)],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slash_redirects_nobody(attacked: Attacked, method: str, path: str, status: int) -> None:
    answer = attacked.client.request(method, path, headers={"host": "elsewhere.example"})
    assert (answer.status_code, answer.headers.get("location")) == (status, None)
    assert answer.json()["code"] == "not-found"


@pytest.mark.parametrize(
    "path",
    [*PAGES, *PROBES, "/v1/ikm", "/v1/opd/none/ikm", "/nowhere", "/v1/submissions"],
)
def test_every_answer_forbids_guessing_its_type(attacked: Attacked, path: str) -> None:
    answer = attacked.client.get(path)
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    if answer.headers["content-type"].startswith("text/html"):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "same-origin"


def test_an_upgrade_is_not_spoken(attacked: Attacked) -> None:
    upgrade = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    with attacked.connect() as connection:
        connection.sendall(
            upgrade + b"sec-websocket-key: a\r\nsec-websocket-version: 13\r\n\r\nabc"
        )
        head, _, body = answer_of(connection).partition(b"\r\n\r\n")
    assert (head[:12], body) == (b"HTTP/1.1 200", b'{"status":"ok"}')
    assert b"connection: close" in head


def test_guessed_keys_are_slowed_and_the_right_one_is_not(attacked: Attacked) -> None:
    content = {"content-type": "application/json"}

    def post(key: str, address: str) -> httpx.Response:
        headers = content | {"authorization": f"Bearer {key}", "x-forwarded-for": address}
        return attacked.client.post("/v1/submissions", content=submission_json(), headers=headers)

    guesses = [post(f"guess-{index}", "192.0.2.1") for index in range(ADDRESS_MAX + 5)]
    assert [guess.status_code for guess in guesses] == [401] * ADDRESS_MAX + [429] * 5
    assert post("guess", "192.0.2.2").status_code == 401  # behind the same proxy, another address
    assert post(attacked.key, "192.0.2.1").status_code == 202
    said = attacked.log.read_text()
    assert "guess" not in said
    assert "192.0.2" not in said


def test_guessed_keys_of_readers_are_slowed_too(attacked: Attacked) -> None:
    headers = {"authorization": "Bearer guess", "x-forwarded-for": "198.51.100.7"}
    attacked.client.get("/v1/ikm")  # that a public answer is ready changes nothing
    statuses = [
        attacked.client.get("/v1/ikm", headers=headers).status_code for _ in range(ADDRESS_MAX + 1)
    ]
    assert statuses == [401] * ADDRESS_MAX + [429]
    public = attacked.client.get("/v1/ikm", headers={"x-forwarded-for": "198.51.100.7"})
    assert public.status_code == 200

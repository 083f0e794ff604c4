"""Chat services deliver, as they document it: repeated, reordered, interleaved, unsigned."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import httpx
import pytest
from redis import Redis

from services.ingest.chats.gateways.incoming import decoded
from shared.connections import worker_redis
from shared.inbox.entry import entry_of
from shared.inbox.keys import Keys
from shared.registry.publication import publish
from shared.registry.snapshot import Channel
from tests.builders import registry, submission
from tests.integration.ingest.ingest_service import PREFIX, eventually, serving, stored

NINE = "443444433"
PHONE, OTHER_PHONE = "6281234567890", "6289876543210"
SECRET = "rahasia-aplikasi"
numbers = count(1)


class Meta:
    """A fake of the service that WhatsApp's messages are sent through."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.failures = 0
        meta = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                failing = meta.failures > 0
                meta.failures -= failing
                if not failing:
                    assert self.path == "/v23.0/111/messages"
                    assert self.headers["authorization"] == "Bearer token-akses"
                    meta.sent.append(json.loads(body))
                self.send_response(503 if failing else 200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/v23.0"

    def last_to(self, phone: str) -> dict[str, Any]:
        return [message for message in self.sent if message["to"] == phone][-1]


@pytest.fixture
def meta() -> Iterator[Meta]:
    fake = Meta()
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.05,))
    thread.start()
    yield fake
    fake.server.shutdown()
    thread.join()
    fake.server.server_close()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


@contextmanager
def chatting(redis_url: str, meta: Meta) -> Iterator[httpx.Client]:
    whatsapp = Channel(
        "wa",
        "whatsapp",
        settings={"phone_number_id": "111", "api": meta.address},
        secrets={"app_secret": SECRET, "verify_token": "token", "access_token": "token-akses"},
    )
    telegram = Channel("bot", "telegram", secrets={"secret_token": "rahasia-bot"})
    sms = Channel("sms", "sms", settings={"from": "pengirim"}, secrets={"token": "rahasia-sms"})
    example = registry()
    channels = {**example.channels, "wa": whatsapp, "bot": telegram, "sms": sms}
    with worker_redis(redis_url) as client:
        publish(client, PREFIX, replace(example, channels=channels))
    with serving(redis_url) as client:
        eventually(lambda: client.get("/readyz").is_success, within=10)
        yield client


@pytest.fixture
def client(redis_url: str, meta: Meta) -> Iterator[httpx.Client]:
    with chatting(redis_url, meta) as client:
        yield client


def message(text: str, phone: str = PHONE, **more: Any) -> dict[str, Any]:
    number = next(numbers)
    content = more or {"type": "text", "text": {"body": text}}
    return {"from": phone, "id": f"wamid.{number}", "timestamp": "1777860720", **content}


def tapped(choice: str, phone: str = PHONE) -> dict[str, Any]:
    reply = {"type": "list_reply", "list_reply": {"id": choice, "title": "4. Sangat sesuai"}}
    return message("", phone, type="interactive", interactive=reply)


def delivery(*messages: dict[str, Any], **more: Any) -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "62771", "phone_number_id": "111"},
        "contacts": [{"profile": {"name": "Siti"}, "wa_id": PHONE}],
        "messages": list(messages),
        **more,
    }
    change = {"field": "messages", "value": value}
    entry = [{"id": "WABA", "changes": [change]}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entry}).encode()


def deliver(client: httpx.Client, body: bytes, secret: str = SECRET) -> int:
    mac = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    headers = {"x-hub-signature-256": f"sha256={mac}", "content-type": "application/json"}
    return client.post("/v1/whatsapp/wa", content=body, headers=headers).status_code


def say(client: httpx.Client, *texts: str, phone: str = PHONE) -> None:
    for text in texts:
        assert deliver(client, delivery(message(text, phone))) == httpx.codes.OK


def bodies(redis: Redis) -> list[dict[str, Any]]:
    entries: Any = redis.xrange(Keys.of(PREFIX).stream)
    return [
        decoded(body)
        for entry in entries
        for parcel in entry_of(*entry).parcels or ()
        for body in parcel.bodies
    ]


ANSWERS = {f"U{place}": int(digit) for place, digit in enumerate(NINE, start=1)}
REST = ("1", "Perempuan", "34", "S1", "swasta", "Cepat dan ramah")


def test_a_dialogue_over_whatsapp_is_stored_and_receipted(
    client: httpx.Client, redis: Redis, meta: Meta
) -> None:
    say(client, "SKM ktp-el", *NINE, *REST)
    [body] = bodies(redis)
    assert body == submission(id=..., answers=ANSWERS, submitted_at="2026-05-04T02:12:00+00:00")
    eventually(lambda: len(meta.sent) == 16, within=10)
    assert "Tanda terima: " in meta.last_to(PHONE)["text"]["body"]
    rows = meta.sent[0]["interactive"]["action"]["sections"][0]["rows"]
    assert rows[0]["title"] == "1. Tidak sesuai"


def test_repeated_deliveries_of_everything_count_once(client: httpx.Client, redis: Redis) -> None:
    deliveries = [delivery(message(text)) for text in ("SKM ktp-el", *NINE, *REST)]
    for position, body in enumerate(deliveries):
        deliver(client, body)
        for earlier in deliveries[: position + 1]:
            assert deliver(client, earlier) == httpx.codes.OK
    assert len(stored(redis)) == 1
    assert bodies(redis)[0]["answers"] == ANSWERS


def test_taps_that_come_in_another_order_answer_their_own_question(
    client: httpx.Client, redis: Redis, meta: Meta
) -> None:
    say(client, "SKM ktp-el")
    eventually(lambda: len(meta.sent) == 1, within=10)
    rows = meta.last_to(PHONE)["interactive"]["action"]["sections"][0]["rows"]
    late = delivery(tapped(rows[0]["id"]))
    say(client, *NINE)
    deliver(client, late)
    say(client, "lewati", "lewati")
    assert bodies(redis)[0]["answers"] == {**ANSWERS, "U1": 1}


def test_people_who_write_at_once_do_not_mix(client: httpx.Client, redis: Redis) -> None:
    texts = ("SKM ktp-el", *NINE, "lewati")
    for text in texts:
        deliver(client, delivery(message(text), message(text.replace("3", "1"), OTHER_PHONE)))
    say(client, "satu", phone=PHONE)
    say(client, "dua", phone=OTHER_PHONE)
    answers = {body["comment"]: body["answers"] for body in bodies(redis)}
    assert answers == {
        "satu": ANSWERS,
        "dua": {name: 1 if score == 3 else score for name, score in ANSWERS.items()},
    }


def test_many_messages_of_a_person_at_once_lose_none(client: httpx.Client, redis: Redis) -> None:
    say(client, "SKM ktp-el")
    with ThreadPoolExecutor(6) as pool:
        statuses = list(
            pool.map(lambda _: deliver(client, delivery(message("4"))), range(9), timeout=30)
        )
    assert set(statuses) == {httpx.codes.OK}
    say(client, "lewati", "lewati")
    assert set(bodies(redis)[0]["answers"].values()) == {4}


def test_a_restart_in_the_middle_resumes(redis_url: str, redis: Redis, meta: Meta) -> None:
    with chatting(redis_url, meta) as client:
        say(client, "SKM ktp-el", *NINE[:4])
    with chatting(redis_url, meta) as client:
        say(client, *NINE[4:], "lewati", "lewati")
    assert bodies(redis)[0]["answers"] == ANSWERS


def test_a_flow_that_was_filled_counts_once(client: httpx.Client, redis: Redis) -> None:
    fields = {**{name: str(score) for name, score in ANSWERS.items()}, "sex": "P", "age": "34"}
    response = json.dumps({**fields, "flow_token": "disdukcapil/ktp-el/sesi-1"})
    reply = {"name": "flow", "body": "Sent", "response_json": response}
    for _ in range(2):
        interactive = {"type": "nfm_reply", "nfm_reply": reply}
        body = delivery(message("", type="interactive", interactive=interactive))
        assert deliver(client, body) == deliver(client, body) == httpx.codes.OK
    assert len(set(stored(redis))) == 1
    assert bodies(redis)[0]["answers"] == ANSWERS
    assert bodies(redis)[0]["respondent"] == {"sex": "P", "age": 34}


def test_what_is_said_is_sent_again_while_whatsapp_fails(client: httpx.Client, meta: Meta) -> None:
    meta.failures = 1
    say(client, "SKM ktp-el")
    eventually(lambda: len(meta.sent) == 1, within=10)


def test_receipts_of_delivery_are_nothing_to_answer(client: httpx.Client, meta: Meta) -> None:
    statuses = [{"id": "wamid.1", "status": "read", "recipient_id": PHONE}]
    assert deliver(client, delivery(statuses=statuses)) == httpx.codes.OK
    assert not meta.sent


def test_redis_holds_no_number_and_forgets_in_a_day(client: httpx.Client, redis: Redis) -> None:
    say(client, "SKM ktp-el", "4")
    [key] = redis.scan_iter(f"{PREFIX}chat:*")
    assert PHONE.encode() not in key + redis.get(key)
    assert 0 < redis.pttl(key) <= 24 * 3600 * 1000


def test_whatsapp_without_signature_is_refused(client: httpx.Client, redis: Redis) -> None:
    body = delivery(message(f"SKM ktp-el {NINE}"))
    assert deliver(client, body, "lain") == httpx.codes.FORBIDDEN
    assert client.post("/v1/whatsapp/wa", content=body).status_code == httpx.codes.FORBIDDEN
    assert client.post("/v1/whatsapp/loket", content=body).status_code == httpx.codes.NOT_FOUND
    assert not stored(redis)
    assert deliver(client, b"{") == httpx.codes.BAD_REQUEST


def test_meta_verifies_the_address_with_the_token(client: httpx.Client) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "token", "hub.challenge": "1158201444"}
    answer = client.get("/v1/whatsapp/wa", params=query)
    assert (answer.status_code, answer.text) == (httpx.codes.OK, "1158201444")
    query["hub.verify_token"] = "lain"
    assert client.get("/v1/whatsapp/wa", params=query).status_code == httpx.codes.FORBIDDEN


def update(client: httpx.Client, update_id: int, **content: Any) -> dict[str, Any]:
    headers = {"x-telegram-bot-api-secret-token": "rahasia-bot"}
    answer = client.post(
        "/v1/telegram/bot", json={"update_id": update_id, **content}, headers=headers
    )
    assert answer.status_code == httpx.codes.OK
    called: dict[str, Any] = answer.json()
    return called


def test_a_dialogue_over_telegram_by_tapping(client: httpx.Client, redis: Redis) -> None:
    chat = {"id": 42, "type": "private"}
    text = {"message_id": 1, "date": 1777860720, "chat": chat, "text": "/start ktp-el"}
    said = update(client, 1, message=text)
    for number, digit in enumerate([*NINE, "skip", "skip"], start=2):
        buttons = said["reply_markup"]["inline_keyboard"]
        data = buttons[-1 if digit == "skip" else int(digit) - 1][0]["callback_data"]
        tap = {"id": "q", "from": {"id": 42}, "data": data, "message": {"chat": chat}}
        said = update(client, number, callback_query=tap)
        again = update(client, number, callback_query=tap)
        assert again == said or not said.get("reply_markup")
    assert said["method"] == "sendMessage"
    assert "Tanda terima" in said["text"]
    assert len(stored(redis)) == 1
    assert bodies(redis)[0]["answers"] == ANSWERS


def test_telegram_without_secret_is_refused(client: httpx.Client) -> None:
    headers = {"x-telegram-bot-api-secret-token": "lain"}
    for sent in (headers, {}):
        answer = client.post("/v1/telegram/bot", json={"update_id": 1}, headers=sent)
        assert answer.status_code == httpx.codes.FORBIDDEN


def test_a_survey_by_sms_is_one_message(client: httpx.Client, redis: Redis) -> None:
    form = {"pengirim": PHONE, "text": f"SKM ktp-el {NINE}"}
    for _ in range(3):
        answer = client.post("/v1/sms/sms?token=rahasia-sms", data=form)
        assert answer.status_code == httpx.codes.OK
    assert len(stored(redis)) == 1
    assert bodies(redis)[0]["answers"] == ANSWERS
    refused = client.post("/v1/sms/sms?token=lain", data=form)
    assert refused.status_code == httpx.codes.FORBIDDEN

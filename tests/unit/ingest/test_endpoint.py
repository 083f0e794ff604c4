"""The request path over an inbox in memory: what is stored and refused, and what is answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import Message

from services.ingest.acceptance import VIOLATIONS_MAX
from services.ingest.formats.format import BATCH_MAX_ITEMS, SINGLE_MAX_BYTES
from services.ingest.watch import FULL
from shared.domain.submission.identity import receipt_text
from shared.domain.submission.ticket import Ticket, ticket_code
from shared.registry.refused_keys import ADDRESS_MAX
from shared.registry.snapshot import Channel, Opd
from tests.builders import (
    KEY,
    OTHER_KEY,
    RECEIPT_MAKER,
    SECRET,
    authorization,
    registry,
    submission,
    submission_json,
)
from tests.unit.ingest.doubles import Answer, Desk, receiving

JSON = {"content-type": "application/json", **authorization()}
NDJSON = JSON | {"content-type": "application/x-ndjson"}


def at_desk(work: Callable[[Desk], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await work(Desk())

    asyncio.run(main())


def post(
    body: bytes, headers: dict[str, str] = JSON
) -> tuple[Answer, Any, list[tuple[str, bytes]]]:
    async def main() -> tuple[Answer, Any, list[tuple[str, bytes]]]:
        desk = Desk()
        answer = await desk.post(body, headers)
        return answer, json.loads(answer.body), desk.stored

    return asyncio.run(main())


def receipt(source_id: str, channel: str = "loket") -> str:
    return receipt_text(RECEIPT_MAKER.receipts(channel, [source_id]))


def test_the_body_is_stored_as_it_was_sent() -> None:
    body = b" " + submission_json(comment="Ramah – terima kasih") + b"\n"
    answer, said, stored = post(body)
    assert answer.status == 202
    assert answer.headers["content-length"] == str(len(answer.body))
    assert said == {"accepted": 1, "receipts": [receipt("loket3-000123")], "refused": []}
    assert [(name, json.loads(raw)) for name, raw in stored] == [
        ("loket3-000123", submission(comment="Ramah – terima kasih"))
    ]


def test_a_parcel_carries_its_columns_and_the_time_of_receipt() -> None:
    async def work(desk: Desk) -> None:
        items = [submission(id=f"n{index}") for index in range(3)]
        await desk.post(json.dumps(items).encode(), JSON)
        ((parcel,),) = desk.writer.entries
        assert (parcel.channel, parcel.ids) == ("loket", ["n0", "n1", "n2"])
        assert parcel.receipts == RECEIPT_MAKER.receipts("loket", parcel.ids)
        assert [json.loads(body) for body in parcel.bodies] == items
        assert desk.writer.accepted == 3

    at_desk(work)


def test_the_same_id_in_two_channels_is_two_submissions() -> None:
    own = submission_json(opd="dinkes", layanan="puskesmas")
    _, mine, _ = post(own)
    _, theirs, _ = post(own, JSON | authorization(OTHER_KEY))
    assert mine["receipts"] != theirs["receipts"]
    assert theirs["receipts"] == [receipt("loket3-000123", "dinkes")]


@pytest.mark.parametrize("key", ["kunci-7", '"kunci-7"', ' "kunci-7" '])
def test_an_idempotency_key_is_the_id_of_a_submission_without_one(key: str) -> None:
    _, said, stored = post(submission_json(id=...), JSON | {"idempotency-key": key})
    assert said["receipts"] == [receipt("kunci-7")]
    assert stored[0][0] == "kunci-7"
    assert post(submission_json(id=None), JSON | {"idempotency-key": key})[2][0][0] == "kunci-7"


def test_an_id_of_its_own_is_stronger_than_an_idempotency_key() -> None:
    assert post(submission_json(), JSON | {"idempotency-key": "lain"})[2][0][0] == "loket3-000123"


@pytest.mark.parametrize("key", ["x" * 129, "a " + "b" * 127, "tab\there", "\x80"])
def test_an_idempotency_key_has_the_limits_of_an_id(key: str) -> None:
    answer, said, stored = post(submission_json(id=...), JSON | {"idempotency-key": key})
    assert (answer.status, stored) == (422, [])
    assert [error["pointer"] for error in said["errors"]] == ["/header/idempotency-key"]


@pytest.mark.parametrize(
    "headers", [JSON, JSON | {"idempotency-key": '""'}, JSON | {"idempotency-key": " "}]
)
def test_without_any_id_a_submission_is_refused(headers: dict[str, str]) -> None:
    answer, said, _ = post(submission_json(id=...), headers)
    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in said["errors"]] == [("/id", "required")]


def test_an_idempotency_key_names_no_item_of_a_batch() -> None:
    answer, said, _ = post(b"[" + submission_json(id=...) + b"]", JSON | {"idempotency-key": "x"})
    assert (answer.status, said["errors"][0]["pointer"]) == (422, "/0/id")


def test_of_a_batch_the_good_are_stored_and_the_bad_are_named() -> None:
    items = [submission(id="a"), submission(id="b", opd=""), submission(id="c"), 7]
    for body, headers in [
        (json.dumps(items).encode(), JSON),
        (b"\n".join(json.dumps(item).encode() for item in items) + b"\r\n\n", NDJSON),
    ]:
        answer, said, stored = post(body, headers)
        assert answer.status == 202
        assert said["accepted"] == 2
        assert said["receipts"] == [receipt("a"), receipt("c")]
        assert [
            (item["index"], [error["pointer"] for error in item["errors"]])
            for item in said["refused"]
        ] == [
            (1, ["/opd"]),
            (3, [""]),
        ]
        assert [name for name, _ in stored] == ["a", "c"]


def test_a_batch_without_a_good_one_is_refused_whole() -> None:
    answer, said, stored = post(json.dumps([submission(opd=""), submission(layanan=5)]).encode())
    assert (answer.status, stored) == (422, [])
    assert said["code"] == "invalid-submission"
    assert [error["pointer"] for error in said["errors"]] == ["/0/opd"]
    assert [item["index"] for item in said["refused"]] == [0, 1]


def test_a_large_batch_is_judged_whole() -> None:
    lines = b"\n".join(submission_json(id=str(index)) for index in range(1200))
    answer, said, stored = post(lines, NDJSON)
    assert (answer.status, said["accepted"], len(stored)) == (202, 1200, 1200)


def test_a_key_sends_only_for_its_own_opd() -> None:
    headers = JSON | authorization(OTHER_KEY)
    answer, said, _ = post(submission_json(), headers)
    assert (answer.status, said["code"]) == (403, "forbidden")
    assert [error["pointer"] for error in said["errors"]] == ["/opd"]
    mixed = [submission(id="a", opd="dinkes", layanan="puskesmas"), submission(id="b")]
    answer, said, stored = post(json.dumps(mixed).encode(), headers)
    assert (answer.status, [name for name, _ in stored]) == (202, ["a"])
    assert said["refused"][0]["errors"][0]["code"] == "forbidden"
    answer, said, _ = post(json.dumps([submission(), submission(opd="")]).encode(), headers)
    assert (answer.status, said["code"]) == (422, "invalid-submission")
    answer, said, _ = post(json.dumps([submission(), submission(id="b")]).encode(), headers)
    assert (answer.status, said["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed-json"),
        (b"{", 400, "malformed-json"),
        (b"[{]", 400, "malformed-json"),
        (b'{"opd":"\\ud800"}', 400, "malformed-json"),
        (b"[" * 50_000, 400, "malformed-json"),
        (b"[]", 422, "invalid-submission"),
        (b"7", 422, "invalid-submission"),
        (b"null", 422, "invalid-submission"),
        (b" [ 7 ] ", 422, "invalid-submission"),
        (b'"' + b"x" * SINGLE_MAX_BYTES + b'"', 413, "too-large"),
        (b"[" + b"0," * BATCH_MAX_ITEMS + b"0]", 413, "too-large"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else str(value),
)
def test_what_cannot_be_taken_is_a_problem_with_a_pointer(
    body: bytes, status: int, code: str
) -> None:
    answer, said, stored = post(body)
    assert (answer.status, said["status"], said["code"], stored) == (status, status, code, [])
    assert answer.headers["content-type"] == "application/problem+json"
    assert said["errors"]
    assert all(set(error) == {"pointer", "code", "detail"} for error in said["errors"])


def test_a_batch_of_the_largest_number_is_taken() -> None:
    answer, said, _ = post(b"[" + b"0," * (BATCH_MAX_ITEMS - 1) + submission_json() + b"]")
    assert (answer.status, said["accepted"], len(said["refused"])) == (202, 1, BATCH_MAX_ITEMS - 1)


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "application/cloudevents+json"]
)
def test_another_media_type_is_refused(media: str) -> None:
    answer, said, _ = post(submission_json(), JSON | {"content-type": media})
    assert (answer.status, said["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "Application/JSON", " application/json ;x=1"]
)
def test_parameters_and_case_of_the_media_type_do_not_matter(media: str) -> None:
    assert post(submission_json(), JSON | {"content-type": media})[0].status == 202


def test_nobody_is_asked_for_a_body_that_cannot_be_stored() -> None:
    async def work(desk: Desk) -> None:
        async def unasked() -> Message:
            raise AssertionError

        assert (await desk.post(unasked, {})).status == 401
        desk.watch.refusal = FULL
        answer = await desk.post(unasked, JSON)
        assert (answer.status, answer.headers["retry-after"]) == (503, "10")

    at_desk(work)


def test_a_store_that_fails_is_a_503_and_the_next_one_fails_at_once() -> None:
    async def work(desk: Desk) -> None:
        desk.writer.fail = [OSError("gone")]
        answer = await desk.post(submission_json(), JSON)
        assert (answer.status, answer.headers["retry-after"], desk.stored) == (503, "2", [])
        desk.writer.delay = 60
        assert (await desk.post(submission_json(), JSON)).status == 503

    at_desk(work)


def test_a_key_that_is_revoked_while_the_body_arrives_is_revoked() -> None:
    async def work(desk: Desk) -> None:
        receive = receiving([submission_json()[:20], submission_json()[20:]], delay=0.03)
        posting = asyncio.create_task(desk.post(receive, JSON))
        await asyncio.sleep(0.04)
        desk.know(registry(2, keys={}))
        assert (await posting).status == 401
        assert desk.stored == []

    at_desk(work)


def test_a_scope_that_grows_while_the_body_arrives_has_grown() -> None:
    async def work(desk: Desk) -> None:
        old = registry(2)
        wider = replace(old.channels["dinkes"], opd=frozenset({"dinkes", "disdukcapil"}))
        headers = JSON | authorization(OTHER_KEY)
        receive = receiving([submission_json()], delay=0.03)
        posting = asyncio.create_task(desk.post(receive, headers))
        await asyncio.sleep(0.01)
        desk.know(replace(old, channels={"dinkes": wider}, opd={"baru": Opd("baru", "Baru")}))
        assert (await posting).status == 202

    at_desk(work)


def test_an_unknown_place_is_accepted_for_it_may_become_known() -> None:
    assert post(submission_json(opd="belum-ada", layanan="apa"))[0].status == 202
    assert post(submission_json(submitted_at="2099-01-01T00:00:00Z"))[0].status == 202


def test_no_key_is_ever_said_back() -> None:
    for headers in (JSON | authorization("rahasia"), JSON | authorization(KEY)):
        answer, _, _ = post(b"{}", headers)
        assert b"rahasia" not in answer.body
        assert KEY.encode() not in answer.body


def test_a_fault_of_the_service_is_a_problem_that_shows_nothing_and_the_log_says_what(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(desk: Desk) -> None:
        def faulty(*_: object) -> None:
            raise ArithmeticError("secret of the house")

        monkeypatch.setattr(desk.commit, "store", faulty)
        answer = await desk.post(submission_json(), JSON)
        assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
        assert json.loads(answer.body)["code"] == "internal-error"
        assert b"secret" not in answer.body
        assert desk.stored == []

    at_desk(work)
    assert "secret of the house" in caplog.text


def test_unknown_keys_are_slowed_and_known_ones_are_not() -> None:
    async def work(desk: Desk) -> None:
        wrong = JSON | {"authorization": "Bearer guessed"}
        answers = [await desk.post(submission_json(), wrong) for _ in range(ADDRESS_MAX + 2)]
        assert [answer.status for answer in answers] == [401] * ADDRESS_MAX + [429, 429]
        assert answers[-1].headers["connection"] == "close"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert (await desk.post(submission_json(), JSON)).status == 202

    at_desk(work)


def flood(items: int, members: int, name_length: int = 1) -> bytes:
    """A batch of submissions with so many unknown members."""
    unknown = ",".join(f'"{"x" * name_length}{index}":1' for index in range(members))
    return b"\n".join([b"{%s}" % unknown.encode()] * items)


def test_a_flood_of_violations_is_answered_with_a_thousand() -> None:
    answer, said, _ = post(flood(2000, 100), NDJSON)
    listed = [len(item["errors"]) for item in said["refused"]]
    assert (answer.status, said["truncated"], len(listed)) == (422, True, 2000)
    assert sum(listed) + len(said["errors"]) <= VIOLATIONS_MAX
    assert listed[:9] == [100] * 9
    assert max(listed[9:]) == 0


def test_what_is_good_among_a_flood_is_accepted() -> None:
    body = flood(100, 100) + b"\n" + submission_json()
    answer, said, stored = post(body, NDJSON)
    assert (answer.status, said["accepted"], said["truncated"], len(stored)) == (202, 1, True, 1)


def test_a_name_comes_back_cut() -> None:
    _, said, _ = post(flood(1, 1, 10_000))
    (pointer,) = [error["pointer"] for error in said["errors"] if error["code"] == "unknown"]
    assert len(pointer) < 200


def test_what_is_far_too_long_is_not_explained_in_full() -> None:
    lists = b'{"answers":[%s]}' % b",".join([b"[]"] * 100_000)
    for body, code in ((lists, "invalid"), (lists[:-1], "malformed-json")):
        _, said, _ = post(body)
        assert [error["code"] for error in said["errors"]] == [code]
        assert len(said["errors"][0]["detail"]) < 300


def test_one_submission_of_a_batch_may_have_one_mebibyte() -> None:
    answer, said, _ = post(b'{"comment": "%s"}' % (b"x" * SINGLE_MAX_BYTES), NDJSON)
    assert (answer.status, said["refused"][0]["errors"][0]["code"]) == (422, "length")


def test_all_forbidden_is_said_of_a_flood_too() -> None:
    items = [submission(id=f"n{index}") for index in range(VIOLATIONS_MAX + 1)]
    headers = JSON | authorization(OTHER_KEY)
    answer, said, _ = post(json.dumps(items).encode(), headers)
    assert (answer.status, said["code"], said["truncated"]) == (403, "forbidden", True)


def sandbox() -> Any:
    loket = registry().channels["loket"]
    return registry(channels={"loket": replace(loket, kind="uji")})


def test_what_a_sandbox_sends_is_checked_and_never_stored() -> None:
    async def main() -> None:
        desk = Desk(sandbox())
        answer = await desk.post(submission_json(), JSON)
        said = json.loads(answer.body)
        receipts = RECEIPT_MAKER.all_receipts([("loket", [submission()["id"]])])
        assert (answer.status, said["accepted"], said["sandbox"]) == (202, 1, True)
        assert said["receipts"] == [receipt_text(receipts)]
        assert (await desk.post(submission_json(opd=5), JSON)).status == 422
        assert not desk.stored

    asyncio.run(main())


TICKETS = replace(registry(), channels={**registry().channels, "tiket": Channel("tiket", "tiket")})


def ticket(serial: int = 7, layanan: str = "ktp-el") -> str:
    return ticket_code(SECRET, Ticket(serial, "disdukcapil", layanan))


def test_an_answer_with_a_ticket_is_stored_under_its_channel_and_serial() -> None:
    async def work(desk: Desk) -> None:
        desk.know(TICKETS)
        for document in (
            submission(ticket=ticket()),
            submission(ticket=ticket().lower(), id=...),
            submission(ticket=ticket(), id="another"),
        ):
            answer = await desk.post(json.dumps(document).encode(), JSON)
            assert json.loads(answer.body)["receipts"] == [receipt("7", "tiket")]
        parcels = [parcel for entry in desk.writer.entries for parcel in entry]
        assert {(parcel.channel, *parcel.ids) for parcel in parcels} == {("tiket", "7")}

    at_desk(work)


def test_the_receipts_of_a_batch_with_and_without_tickets_are_in_its_order() -> None:
    async def work(desk: Desk) -> None:
        desk.know(TICKETS)
        items = [
            submission(id="a"),
            submission(id="b", ticket=ticket(1)),
            submission(id="c", ticket="nonsense"),
            submission(id="d"),
            submission(id="e", ticket=ticket(2)),
        ]
        answer = await desk.post(json.dumps(items).encode(), JSON)
        said = json.loads(answer.body)
        assert said["receipts"] == [
            receipt("a"),
            receipt("1", "tiket"),
            receipt("d"),
            receipt("2", "tiket"),
        ]
        (refused,) = said["refused"]
        assert (refused["index"], refused["errors"][0]["code"]) == (2, "ticket-unknown")

    at_desk(work)


def test_an_opd_that_requires_tickets_says_so_where_anybody_can_answer() -> None:
    async def work(desk: Desk) -> None:
        demanding = replace(TICKETS.opd["disdukcapil"], ticket_required=True)
        form = {**TICKETS.channels, "loket": Channel("loket", "form")}
        desk.know(replace(TICKETS, channels=form, opd={**TICKETS.opd, "disdukcapil": demanding}))
        answer = await desk.post(submission_json(), JSON)
        (error,) = json.loads(answer.body)["errors"]
        assert (answer.status, error["pointer"], error["code"]) == (
            403,
            "/ticket",
            "ticket-required",
        )
        answer = await desk.post(submission_json(ticket=ticket()), JSON)
        assert answer.status == 202

    at_desk(work)

"""What tablets send, over HTTP, case by case of OpenRosa's identity; and how it is counted."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import httpx
import pytest
import sqlalchemy as sa
from redis import Redis

from services.aggregate.worker.drain import drain
from shared.connections import worker_redis
from shared.registry.publication import publish
from shared.storage import tables
from shared.storage.engine import opened, transaction
from shared.storage.registry import access_keys
from tests.builders import KEY, OTHER_KEY, READ_KEY, stopped_clock
from tests.integration.access import stored_key
from tests.integration.aggregate.counting.counting import apply, worker_context
from tests.integration.ingest.ingest_service import PREFIX, eventually, serving, stored, tell
from tests.unit.ingest.formats.openrosa.filled import (
    INSTANCE_ID,
    instance,
    media_type,
    multipart,
)

NOW = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
RESPONSE = "{http://openrosa.org/http/response}OpenRosaResponse"
XFORM = "{http://www.w3.org/2002/xforms}"
SUBMISSION = "submission?deviceID=collect%3Aabc"


@pytest.fixture
def client(redis_url: str) -> Iterator[httpx.Client]:
    tell(redis_url)
    with serving(redis_url) as client:
        eventually(lambda: client.get("/readyz").is_success, within=10)
        yield client


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


def send(
    client: httpx.Client, xml: bytes, *more: tuple[str, bytes], key: str = KEY
) -> httpx.Response:
    return client.post(
        f"/v1/key/{key}/{SUBMISSION}",
        content=multipart([("xml_submission_file", xml), *more]),
        headers={"content-type": media_type(), "x-openrosa-version": "1.0"},
    )


def nature(answer: httpx.Response) -> str | None:
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.headers["x-openrosa-version"] == "1.0"
    assert answer.headers["x-openrosa-accept-content-length"] == "10000000"
    root = ET.fromstring(answer.content)
    assert (root.tag, len(root)) == (RESPONSE, 1)
    assert root[0].text
    return root[0].get("nature")


def test_a_filled_form_is_stored_and_thanked_for(client: httpx.Client, redis: Redis) -> None:
    answer = send(client, instance())
    assert (answer.status_code, nature(answer)) == (202, "submit_success")
    assert "Terima kasih" in answer.text
    assert stored(redis) == [INSTANCE_ID]


def test_pieces_of_a_split_upload_and_its_repetition_are_all_acknowledged(
    client: httpx.Client,
) -> None:
    for more in [
        [("*isIncomplete*", b"yes"), ("foto1.jpg", b"\xff\xd8" * 1000)],
        [("foto2.jpg", b"\xff\xd8")],
        [],
    ]:
        assert nature(send(client, instance(), *more)) == "submit_success"


def test_a_chunked_body_is_accepted(client: httpx.Client, redis: Redis) -> None:
    body = multipart([("xml_submission_file", instance())])
    answer = client.post(
        f"/v1/key/{KEY}/{SUBMISSION}",
        content=(body[place : place + 100] for place in range(0, len(body), 100)),
        headers={"content-type": media_type()},
    )
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert (answer.status_code, stored(redis)) == (202, [INSTANCE_ID])


def test_nothing_of_media_or_of_the_tablet_is_stored(client: httpx.Client, redis: Redis) -> None:
    assert send(client, instance(), ("wajah.jpg", b"RAHASIA-WAJAH")).status_code == 202
    everything = repr([(name, redis.dump(name)) for name in redis.scan_iter()])
    assert "disdukcapil" in everything
    for secret in ("RAHASIA-WAJAH", "wajah.jpg", "collect:abc", KEY):
        assert secret not in everything


@pytest.mark.parametrize(
    ("xml", "status"),
    [
        (b"no xml", 400),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 400),
        (b"<data><meta><instanceID>1</instanceID><instanceID>2</instanceID></meta></data>", 400),
        (b'<data id="lain"/>', 404),
        (instance({"answers/q_U1": "7"}), 422),
        (instance({"answers/q_U9": ""}), 422),
        (instance({"end": "besok"}), 422),
        (instance({"comment": "x" * 300_000}), 413),
    ],
)
def test_what_is_no_submission_is_an_error_with_a_message(
    client: httpx.Client, redis: Redis, xml: bytes, status: int
) -> None:
    answer = send(client, xml)
    assert (answer.status_code, nature(answer)) == (status, "error")
    assert stored(redis) == []


def test_the_body_has_a_limit_and_a_media_type(client: httpx.Client) -> None:
    large = send(client, instance(), ("film.mp4", bytes(11 * 1024 * 1024)))
    assert (large.status_code, nature(large)) == (413, "error")
    plain = client.post(f"/v1/key/{KEY}/{SUBMISSION}", content=instance())
    assert (plain.status_code, nature(plain)) == (415, "error")


def test_an_edit_says_what_it_replaces(client: httpx.Client, redis: Redis) -> None:
    edit = instance({"meta/instanceID": "uuid:baru", "meta/deprecatedID": INSTANCE_ID})
    for xml in (edit, instance(), edit):
        assert send(client, xml).status_code == 202
    assert stored(redis) == ["uuid:baru", INSTANCE_ID, "uuid:baru"]


@pytest.mark.parametrize("key", ["salah", READ_KEY, OTHER_KEY])
def test_a_key_that_may_not_send_this_is_forbidden(
    client: httpx.Client, redis: Redis, key: str
) -> None:
    answer = send(client, instance(), key=key)
    assert (answer.status_code, nature(answer), stored(redis)) == (403, "error", [])


def filled(xform: str, choices: Mapping[str, str]) -> bytes:
    """What a tablet makes of a form: each calculation done, each question answered."""
    root = ET.fromstring(xform)
    primary = root.find(f".//{XFORM}model/{XFORM}instance")
    assert primary is not None
    data = primary[0]
    for bind in root.iter(f"{XFORM}bind"):
        path = bind.attrib["nodeset"].removeprefix("/data/")
        element = data.find("/".join(f"{XFORM}{name}" for name in path.split("/")))
        assert element is not None
        preload = bind.get("{http://openrosa.org/javarosa}preload")
        element.text = choices.get(path) or {
            "timestamp": "2026-05-04T09:12:00.000+07:00",
            "uid": INSTANCE_ID,
        }.get(preload or "", bind.get("calculate", "").strip("'"))
    return ET.tostring(data)


def test_a_submission_of_our_own_form_is_counted_once(database_url: str, redis_url: str) -> None:
    with (
        opened(database_url) as engine,
        worker_context(database_url, redis_url, redis_prefix=PREFIX) as context,
        serving(redis_url) as client,
    ):
        apply(engine)
        with transaction(engine) as connection:
            access_keys.store(connection, KEY, stored_key("uji", "loket", NOW, reads=True))
        publish(context.redis, PREFIX, context.registry())
        eventually(lambda: client.get("/readyz").is_success, within=10)
        form = client.get(f"/v1/key/{KEY}/forms/skm-2017.disdukcapil.xml")
        scores = {f"answers/q_U{unsur}": score for unsur, score in enumerate("443444433", 1)}
        profile = {"respondent/sex": "P", "respondent/age": "34", "respondent/education": "S1"}
        xml = filled(form.text, scores | profile | {"layanan": "ktp-el"})
        for _ in range(3):
            assert send(client, xml).status_code == 202
        conflict = xml.replace(b">34<", b">35<")
        assert conflict != xml
        assert send(client, conflict).status_code == 202
        assert drain(context, stopped_clock(NOW)) == 4
        with engine.connect() as connection:
            (response,) = connection.execute(sa.select(tables.response)).all()
            parked = connection.execute(sa.select(tables.parked)).all()
    assert (response.opd, response.layanan, response.scores) == (
        "disdukcapil",
        "ktp-el",
        "443444433",
    )
    assert (response.questionnaire, response.channel) == ("skm-2017", "loket")
    assert [submission.reason for submission in parked] == ["id-conflict"]

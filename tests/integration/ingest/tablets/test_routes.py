"""What ODK Collect asks before it sends anything, over HTTP."""

import hashlib
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.builders import KEY, OTHER_KEY, READ_KEY
from tests.integration.ingest.ingest_service import eventually, serving, tell

LIST = "{http://openrosa.org/xforms/xformsList}"
BASE = f"/v1/key/{KEY}"


@pytest.fixture
def client(redis_url: str) -> Iterator[httpx.Client]:
    tell(redis_url)
    with serving(redis_url) as client:
        eventually(lambda: client.get("/readyz").is_success, within=10)
        yield client


def listed(answer: httpx.Response) -> list[dict[str, str]]:
    root = ET.fromstring(answer.content)
    assert root.tag == f"{LIST}xforms"
    return [
        {element.tag.removeprefix(LIST): str(element.text) for element in entry} for entry in root
    ]


def test_a_tablet_lists_forms_and_fetches_them(client: httpx.Client) -> None:
    answer = client.get(f"{BASE}/formList", params={"deviceID": "collect:1"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.headers["x-openrosa-version"] == "1.0"
    assert "date" in answer.headers
    forms = listed(answer)
    assert {form["formID"] for form in forms} == {
        "skm-2017.disdukcapil",
        "skm-2017.dinkes",
        "singkat.dinkes",
    }
    for form in forms:
        assert form.keys() == {"formID", "name", "version", "hash", "downloadUrl"}
        xform = client.get(form["downloadUrl"])
        assert xform.headers["content-type"] == "text/xml; charset=utf-8"
        assert xform.headers["x-openrosa-version"] == "1.0"
        md5 = hashlib.md5(xform.content, usedforsecurity=False).hexdigest()
        assert form["hash"] == f"md5:{md5}"
        assert f'id="{form["formID"]}" version="{form["version"]}"' in xform.text
        manifest = client.get(form["downloadUrl"].removesuffix(".xml") + "/manifest")
        assert "http://openrosa.org/xforms/xformsManifest" in manifest.text


def test_a_form_can_be_asked_for_by_its_id_and_described(client: httpx.Client) -> None:
    wanted = {"formID": "skm-2017.dinkes", "verbose": "true", "listAllVersions": "true"}
    (form,) = listed(client.get(f"{BASE}/formList", params=wanted))
    assert form["descriptionText"].startswith("Survei Kepuasan Masyarakat")


def test_a_key_sees_the_forms_of_its_opds_only(client: httpx.Client) -> None:
    other = f"/v1/key/{OTHER_KEY}"
    forms = {form["formID"] for form in listed(client.get(f"{other}/formList"))}
    assert forms == {"skm-2017.dinkes", "singkat.dinkes"}
    for path in ("skm-2017.disdukcapil.xml", "skm-2017.disdukcapil/manifest", "x.xml"):
        assert client.get(f"{other}/forms/{path}").status_code == 404


def test_the_address_for_submissions_answers_204_with_the_size(client: httpx.Client) -> None:
    for answer in (client.head(f"{BASE}/submission"), client.get(f"{BASE}/submission")):
        assert answer.status_code == 204
        assert answer.headers["x-openrosa-version"] == "1.0"
        assert answer.headers["x-openrosa-accept-content-length"] == "10000000"


@pytest.mark.parametrize("path", ["formList", "forms/x.xml", "forms/x/manifest", "submission"])
@pytest.mark.parametrize("key", ["salah", READ_KEY, "%00%ff"])
def test_a_wrong_key_is_forbidden_and_asks_for_no_password(
    client: httpx.Client, path: str, key: str
) -> None:
    answer = client.get(f"/v1/key/{key}/{path}")
    assert answer.status_code == 403
    assert "www-authenticate" not in answer.headers
    message = ET.fromstring(answer.content)[0]
    assert message.get("nature") == "error"
    assert key not in answer.text
    assert client.head(f"/v1/key/{key}/submission").status_code == 403


def test_an_address_that_guesses_keys_is_slowed(client: httpx.Client) -> None:
    answers = [client.head(f"/v1/key/tebakan-{number}/submission") for number in range(40)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert client.head(f"{BASE}/submission").status_code == 204

"""Who may do what at ingest: every route by every kind of key."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import httpx
import pytest

from services.ingest.app import Ingest
from services.ops.stack.servers import Redis
from shared.registry.snapshot import AccessKey
from tests.builders import KEY, READ_KEY, authorization, key_hash, registry, submission_json
from tests.integration.ingest.ingest_service import serving, settings, tell
from tests.unit.ingest.formats.openrosa.filled import instance, media_type, multipart

SCOPED_KEY, BOTH_KEY = "kunci-dinkes", "kunci-keduanya"
CALLERS = {
    "no key": None,
    "reads all": READ_KEY,
    "reads dinkes": SCOPED_KEY,
    "submits only": KEY,
    "submits and reads": BOTH_KEY,
    "revoked or unknown": "kunci-lama",
}
OPEN = (200,) * len(CALLERS)
SUBMIT = (401, 403, 403, 202, 202, 401)
TABLET = (403, 403, 403, 200, 200, 403)  # the key is in the path: without one there is no path
NOWHERE = (404,) * len(CALLERS)  # no such channel, OPD or file: the same for everybody
ACCESS = {
    "/v1/submissions": ("POST", SUBMIT),
    "/v1/events": ("POST", SUBMIT),
    "/v1/key/{key}/submission": ("POST", (403, 403, 403, 202, 202, 403)),
    "/v1/key/{key}/formList": ("GET", TABLET),
    "/v1/key/{key}/forms/{form_id}.xml": ("GET", TABLET),
    "/v1/key/{key}/forms/{form_id}/manifest": ("GET", TABLET),
    # Nobody needs a key: who signs, or answers on a page, is judged by what they send.
    "/v1/whatsapp/{name}": ("POST", NOWHERE),
    "/v1/telegram/{name}": ("POST", NOWHERE),
    "/v1/sms/{name}": ("POST", NOWHERE),
    "/s/{opd}": ("GET", NOWHERE),
    "/s/{opd}/{layanan}": ("GET", NOWHERE),
    "/s/static/{name}": ("GET", NOWHERE),
    "/s/worker.js": ("GET", OPEN),
    "/metrics": ("GET", (401, 200, 403, 403, 200, 401)),
    "/healthz": ("GET", OPEN),
    "/readyz": ("GET", OPEN),
    "/openapi.json": ("GET", OPEN),
}
FILLED = media_type()
ELSEWHERE = {"name": "tiada", "opd": "tiada", "layanan": "tiada"}
EVENT = b'{"specversion":"1.0","id":"1","source":"/k","type":"ikm.submission","data":%s}'


@pytest.fixture(scope="module")
def service(redis_server: Redis) -> Iterator[httpx.Client]:
    with redis_server.connect() as redis:
        redis.flushall()
    known = registry()
    more = {
        key_hash(SCOPED_KEY): AccessKey("k4", None, False, True, frozenset({"dinkes"})),
        key_hash(BOTH_KEY): AccessKey("k5", "loket", True, True, None),
    }
    tell(redis_server.url, replace(known, keys={**known.keys, **more}))
    with serving(redis_server.url) as client:
        yield client


def paths_of(routes: Iterable[object]) -> Iterator[str]:
    """The paths of routes, and of those of the routers that were included."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [getattr(route, "path", "")] if router is None else paths_of(router.routes)


def test_every_route_has_its_line(redis_url: str) -> None:
    assert set(paths_of(Ingest(settings(redis_url)).api.routes)) == set(ACCESS)


@pytest.mark.parametrize("path", ACCESS)
def test_every_caller_gets_what_the_table_says(service: httpx.Client, path: str) -> None:
    method, expected = ACCESS[path]
    submission = submission_json(id=...)
    body, media_type = {
        "/v1/submissions": (submission_json(), "application/json"),
        "/v1/events": (EVENT % submission, "application/cloudevents+json"),
        "/v1/key/{key}/submission": (multipart([("xml_submission_file", instance())]), FILLED),
    }.get(path, (None, "application/json"))
    for (caller, key), wanted in zip(CALLERS.items(), expected, strict=True):
        headers = {"content-type": media_type, **({} if key is None else authorization(key))}
        address = path.format(key=key or "tanpa", form_id="skm-2017.dinkes", **ELSEWHERE)
        answer = service.request(method, address, content=body, headers=headers)
        assert answer.status_code == wanted, caller
        if wanted in {401, 403}:
            is_tablets = "{key}" in path
            told = "text/xml; charset=utf-8" if is_tablets else "application/problem+json"
            assert answer.headers["content-type"] == told


def test_readiness_does_not_tell_what_waits(service: httpx.Client) -> None:
    assert "inbox" not in service.get("/readyz").json()

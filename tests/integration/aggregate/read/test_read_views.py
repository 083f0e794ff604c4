"""Who sees what: each route of the read API by each kind of key, and what the public view says."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.ops.stack.servers import Postgres
from shared.storage import migrate, tables
from shared.storage.engine import transaction
from shared.storage.registry import access_keys
from tests.builders import READ_KEY
from tests.integration.access import stored_key
from tests.integration.aggregate.read.read_service import NOON, City, Read, city, eventually
from tests.integration.aggregate.read.released import release

SCOPED_KEY, SENDER_KEY, REVOKED_KEY = "kunci-dinkes", "kunci-loket", "kunci-lama"
CALLERS = {
    "no key": None,
    "reads all": READ_KEY,
    "reads dinkes": SCOPED_KEY,
    "submits only": SENDER_KEY,
    "revoked": REVOKED_KEY,
    "unknown": "kunci-lain",
}
RECEIPT = UUID("8c04f3e2-4940-84d9-8f46-5dab2168f2ec")
MONTH = date(2026, 11, 1)
RELEASED = ["443444433"] * 3 + ["333333333"] * 2

P, I = "public", "internal"  # noqa: E741 - the two columns of a table
OPEN = (200,) * len(CALLERS)
# A request of every route, and what each caller gets: a status, or the view of a 200.
NO_IMPORT = (401, 403, 403, 404, 401, 401)  # only who may submit can have sent a file
ACCESS: dict[str, dict[str, tuple[str | int, ...]]] = {
    "/v1/ikm": {
        "/v1/ikm": (P, I, P, P, 401, 401),
        "/v1/ikm?window=2026-11": (P, I, P, P, 401, 401),
        "/v1/ikm?window=2026-Q1": (P, I, P, P, 401, 401),
        "/v1/ikm?window=today": (401, I, 403, 403, 401, 401),
        "/v1/ikm?from=2026-01-01": (401, I, 403, 403, 401, 401),
    },
    "/v1/opd/{opd}/ikm": {
        "/v1/opd/dinkes/ikm": (P, I, I, P, 401, 401),
        "/v1/opd/dukcapil/ikm?window=12m": (P, I, P, P, 401, 401),
        "/v1/opd/dukcapil/ikm?window=3m&layanan=ktp-el": (P, I, P, P, 401, 401),
        "/v1/opd/dinkes/ikm?window=30d": (401, I, I, 403, 401, 401),
        "/v1/opd/dukcapil/ikm?window=30d": (401, I, 403, 403, 401, 401),
        "/v1/opd/dukcapil/ikm?to=2026-01-01": (401, I, 403, 403, 401, 401),
        "/v1/opd/dinkes/ikm?verified=true": (401, I, I, 403, 401, 401),
        "/v1/opd/dukcapil/ikm?window=12m&verified=true": (401, I, 403, 403, 401, 401),
    },
    "/v1/opd/{opd}/trend": {
        "/v1/opd/dinkes/trend": (P, I, I, P, 401, 401),
        "/v1/opd/dukcapil/trend?layanan=ktp-el&step=month": (P, I, P, P, 401, 401),
        "/v1/opd/dukcapil/trend?step=day": (401, I, 403, 403, 401, 401),
        "/v1/opd/dukcapil/trend?step=week": (401, I, 403, 403, 401, 401),
        "/v1/opd/dukcapil/trend?from=2026-11-01": (401, I, 403, 403, 401, 401),
    },
    "/v1/opd/{opd}/breakdown": {
        "/v1/opd/dinkes/breakdown?by=layanan": (P, I, I, P, 401, 401),
        "/v1/opd/dukcapil/breakdown?by=layanan&window=today": (401, I, 403, 403, 401, 401),
        "/v1/opd/dukcapil/breakdown?by=sex&window=2026-11": (401, I, 403, 403, 401, 401),
        "/v1/opd/dukcapil/breakdown?by=channel&window=all": (401, I, 403, 403, 401, 401),
    },
    "/v1/breakdown": {
        "/v1/breakdown?by=sex&window=2026-Q4": (401, I, 403, 403, 401, 401),
        "/v1/breakdown?by=channel&window=today": (401, I, 403, 403, 401, 401),
    },
    "/v1/receipts/{receipt}": {f"/v1/receipts/{RECEIPT}": (200, 200, 200, 200, 401, 401)},
    "/v1/imports": {"/v1/imports": (405,) * 6},
    "/v1/imports/{import_id}": {f"/v1/imports/{RECEIPT}": NO_IMPORT},
    "/v1/imports/{import_id}/report": {f"/v1/imports/{RECEIPT}/report": NO_IMPORT},
    "/metrics": {"/metrics": (401, 200, 403, 403, 401, 401)},
    "/healthz": {"/healthz": OPEN},
    "/readyz": {"/readyz": OPEN},
    "/openapi.json": {"/openapi.json": OPEN},
    "/": {"/": OPEN, "/?window=30d": OPEN},
    "/docs": {"/docs": OPEN},
    "/docs/problems": {"/docs/problems": OPEN},
    "/docs/{name}": {"/docs/docs.js": OPEN},
}
# Of these alone a body may hold more than what was released, or than what the registry says.
LIVE_FIELDS = ("updated_at",)


@pytest.fixture(scope="module")
def town(postgres_server: Postgres) -> Iterator[City]:
    """Two live responses of dukcapil and one of dinkes, five and none of them released."""
    with postgres_server.connect("postgres") as connection:
        connection.execute("CREATE DATABASE read_views TEMPLATE ikm_template")
    with city(postgres_server.database_url("read_views")) as town:
        prepared(town)
        yield town


@pytest.fixture(scope="module")
def read(town: City) -> Iterator[Read]:
    with town.served() as served:
        yield served


def prepared(town: City) -> None:
    town.count("dukcapil", "ktp-el", *RELEASED, "111111111", "222222222")
    town.count("dinkes", "farmasi", "111111111")
    town.refresh()
    with transaction(town.engine) as connection:
        connection.execute(sa.insert(tables.channel).values(name="loket", kind="api"))
        for name, key, stored in (
            ("dinkes", SCOPED_KEY, {"submits": False, "reads": True, "opd": ["dinkes"]}),
            ("loket", SENDER_KEY, {}),
            ("lama", REVOKED_KEY, {"submits": False, "reads": True}),
        ):
            access_keys.store(connection, key, stored_key(name, name, NOON, **stored))
        assert access_keys.revoke(connection, "lama", NOON)
        values = {"receipt": RECEIPT, "channel": "loket", "source_id": "1", "received_at": NOON}
        connection.execute(sa.insert(tables.receipt).values(state="counted", digest=0, **values))
    release(town.engine, {("dukcapil", "ktp-el"): RELEASED, ("dinkes", "farmasi"): []}, MONTH, NOON)


def paths_of(routes: Iterable[object]) -> Iterator[str]:
    """The paths of routes, and of those of the routers that were included."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [getattr(route, "path", "")] if router is None else paths_of(router.routes)


def test_every_route_has_its_line(read: Read) -> None:
    assert set(paths_of(read.app.api.routes)) == set(ACCESS)


ADDRESSES = (f"192.0.2.{number}" for number in itertools.cycle(range(256)))


@pytest.mark.parametrize("path", [path for paths in ACCESS.values() for path in paths])
def test_every_caller_gets_what_the_table_says(read: Read, path: str) -> None:
    expected = next(paths[path] for paths in ACCESS.values() if path in paths)
    for (caller, key), wanted in zip(CALLERS.items(), expected, strict=True):
        # Unknown keys are slowed by address: each request comes from another one.
        asked = replace(read, key=key, address=next(ADDRESSES))
        for answer in (asked.get(path), asked.get(path)):  # the second time perhaps from memory
            is_view = answer.status_code == 200 and wanted in {P, I}
            assert (answer.json()["view"] if is_view else answer.status_code) == wanted, caller
            if wanted == I:
                assert answer.headers["cache-control"] == "private, no-cache"
            if wanted == P:
                assert answer.headers["cache-control"] == "public, no-cache"
                assert not any(f'"{field}":"' in answer.text for field in LIVE_FIELDS)
            if wanted in {P, I}:
                assert answer.headers["vary"] == "authorization"


def test_a_refusal_says_why_and_what_is_public_instead(read: Read) -> None:
    answer = read.with_key(None).get("/v1/opd/dukcapil/ikm?window=today")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (401, "read-key-needed")
    assert answer.headers["www-authenticate"] == "Bearer"
    for part in ("window=today", "five or more", "12m", "ikm key create NAME --read"):
        assert part in body["detail"]
    beyond = read.with_key(SCOPED_KEY).get("/v1/opd/dukcapil/ikm?window=today").json()
    assert (beyond["code"], "live figures of dinkes only" in beyond["detail"]) == (
        "forbidden",
        True,
    )


def public(read: Read, path: str) -> Any:
    answer = read.with_key(None).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_public_index_is_what_was_released(read: Read) -> None:
    for window in ("2026-11", "2026-Q4", "2026-S2", "2026", "3m", "12m", "all"):
        for more in ("", "&layanan=ktp-el"):
            body = public(read, f"/v1/opd/dukcapil/ikm?window={window}{more}")
            assert (body["respondents"], body["sample"]["achieved"]) == (5, 5)
            assert (body["released_at"], body["withheld"]) == ("2026-11-03T12:00:00+07:00", False)
            assert body["updated_at"] is None
        index = public(read, f"/v1/ikm?window={window}")
        assert index["instansi"]["respondents"] == 5
        assert [(opd["code"], opd["respondents"], opd["withheld"]) for opd in index["opd"]] == [
            ("dinkes", None, True),
            ("dukcapil", 5, False),
        ]
    assert read.get("/v1/opd/dukcapil/ikm").json()["respondents"] == 7


def test_where_nothing_was_released_nothing_is_said(read: Read) -> None:
    for path in (
        "/v1/opd/dinkes/ikm",  # somebody answered
        "/v1/opd/dinkes/ikm?layanan=imunisasi",  # nobody did
        "/v1/opd/dukcapil/ikm?window=2026-10",  # nor in another month
    ):
        body = public(read, path)
        assert (body["withheld"], body["released_at"]) == (True, None)
        assert {body[name] for name in ("respondents", "ikm", "mutu", "kinerja", "ci95")} == {None}
        assert {figure["answered"] for figure in body["unsur"]} == {None}
        assert body["sample"]["achieved"] is None


def test_a_month_that_is_summed_is_the_same_as_from_its_row(read: Read, town: City) -> None:
    row = public(read, "/v1/opd/dukcapil/ikm?window=2026-11")
    index = public(read, "/v1/ikm?window=2026-11")
    with transaction(town.engine) as connection:
        connection.execute(
            sa.delete(tables.released_ikm).where(tables.released_ikm.c.window == "2026-11")
        )
        connection.execute(sa.update(tables.registry_version).values(version=2))
    eventually(lambda: read.get("/readyz").json()["registry"] == 2)
    summed = public(read, "/v1/opd/dukcapil/ikm?window=2026-11")
    assert {**summed, "sample": None, "ci95": None} == {**row, "sample": None, "ci95": None}
    summed_index = public(read, "/v1/ikm?window=2026-11")
    assert [opd["ikm"] for opd in summed_index["opd"]] == [opd["ikm"] for opd in index["opd"]]
    assert summed_index["instansi"]["ikm"] == index["instansi"]["ikm"]


def test_the_public_trend_goes_by_month(read: Read) -> None:
    trend = public(read, "/v1/opd/dukcapil/trend")
    assert (trend["step"], trend["released_at"]) == ("month", "2026-11-03T12:00:00+07:00")
    assert trend["series"] == [
        {
            "from": "2026-11-01",
            "to": "2026-11-30",
            "respondents": 5,
            "ikm": 85.0,
            "mutu": "B",
            "withheld": False,
        }
    ]
    assert public(read, "/v1/opd/dinkes/trend")["series"] == []


def test_the_public_breakdown_by_layanan_names_every_layanan(read: Read) -> None:
    cells = public(read, "/v1/opd/dinkes/breakdown?by=layanan&window=12m")["cells"]
    assert [(cell["value"], cell["respondents"], cell["withheld"]) for cell in cells] == [
        ("farmasi", None, True),
        ("imunisasi", None, True),
    ]
    (cell,) = public(read, "/v1/opd/dukcapil/breakdown?by=layanan")["cells"]
    assert (cell["value"], cell["respondents"], cell["ikm"]) == ("ktp-el", 5, 85.0)


def test_a_response_that_is_not_released_moves_nothing_public(database_url: str) -> None:
    paths = [
        "/v1/ikm",
        "/v1/opd/dukcapil/ikm?window=12m",
        "/v1/opd/dukcapil/trend",
        "/v1/opd/dukcapil/breakdown?by=layanan",
        "/readyz",
        "/",
    ]
    with city(database_url) as town:
        town.count("dukcapil", "ktp-el", "111111111")
        town.refresh()
        with town.served() as read:

            def seen() -> list[tuple[bytes, str | None]]:
                answers = [read.with_key(None).get(path) for path in paths]
                assert {answer.status_code for answer in answers} == {200}
                return [(answer.content, answer.headers.get("etag")) for answer in answers]

            before = seen()
            town.count("dukcapil", "ktp-el", "444444444")
            town.refresh()
            eventually(lambda: read.get("/v1/ikm").json()["instansi"]["respondents"] == 2)
            assert seen() == before


def test_spellings_of_one_question_are_kept_once(read: Read) -> None:
    rows = read.app.service.current.snapshot
    assert rows is not None
    paths = [
        "/v1/opd/dukcapil/ikm?window=12m&layanan=ktp-el",
        "/v1/opd/dukcapil/ikm?layanan=ktp-el&window=12m",
        "/v1/opd/dukcapil/ikm?window=%312m&layanan=ktp%2Del",
        "/v1/opd/dukcapil/ikm?layanan=ktp-el&window=12%6D",
    ]
    today = rows.today(NOON)
    public(read, paths[0])
    before = len(rows.public.answers(today))
    bodies = {json.dumps(public(read, path)) for path in paths}
    assert (len(bodies), len(rows.public.answers(today))) == (1, before)


def test_without_postgresql_prepared_public_windows_go_on(own_postgres: Postgres) -> None:
    migrate.upgrade(own_postgres.url)
    with city(own_postgres.url) as town:
        prepared(town)
        with town.served() as read:
            town.engine.dispose()
            own_postgres.stop()
            eventually(lambda: not read.get("/readyz").json()["database"])
            assert public(read, "/v1/opd/dukcapil/ikm?window=12m")["respondents"] == 5
            assert public(read, "/v1/ikm?window=2026-Q4")["instansi"]["respondents"] == 5
            assert read.with_key(None).get("/").status_code == 200
            assert read.with_key("kunci-lain").get("/v1/ikm").status_code == 401
            own_postgres.start()

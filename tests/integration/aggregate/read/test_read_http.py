"""The read API as HTTP: conditions, refusals, methods, and its answers without PostgreSQL."""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.aggregate.read.app import ReadApi
from services.ops.stack.servers import Postgres
from shared.storage import migrate
from tests.integration.aggregate.read.read_service import City, Read, city, eventually

RESOURCES = (
    "/v1/ikm",
    "/v1/ikm?window=30d",
    "/v1/ikm?from=2026-01-01",
    "/v1/opd/dinkes/ikm",
    "/v1/opd/dinkes/ikm?window=7d&layanan=farmasi",
    "/v1/opd/dinkes/ikm?layanan=farmasi&to=2026-10-01",
    "/v1/opd/dinkes/trend",
    "/v1/opd/dinkes/breakdown?by=layanan",
    "/",
    "/?window=2026-05",
    "/docs",
    "/docs/docs.js",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
    "/docs/problems",
)


@pytest.fixture(scope="module")
def town(postgres_server: Postgres) -> Iterator[City]:
    """One city for all tests of this module: what they count is read by the test that counts it."""
    with postgres_server.connect("postgres") as connection:
        connection.execute("CREATE DATABASE read_http TEMPLATE ikm_template")
    with city(postgres_server.database_url("read_http")) as town:
        town.count("dinkes", "farmasi", "443444433")
        town.count("dukcapil", "ktp-el", "333333333")
        town.refresh()
        yield town


@pytest.fixture(scope="module")
def read(town: City) -> Iterator[Read]:
    with town.served() as served:
        yield served


def errors(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["pointer"], error["code"]) for error in answer.json().get("errors", ())]


def test_every_resource_has_an_etag_and_answers_304(read: Read) -> None:
    for path in RESOURCES:
        for _ in range(2):  # the second time from memory
            answer = read.get(path)
            assert answer.status_code == 200, path
            is_live = path.startswith("/v1/")  # the key gives live figures; a page is for all
            scope = "private" if is_live else "public"
            assert answer.headers["cache-control"] == f"{scope}, no-cache"
            assert answer.headers["vary"] == "authorization"
            etag = answer.headers["etag"]
            for condition in (etag, "*", f'"x", {etag}'):
                unchanged = read.get(path, {"If-None-Match": condition})
                assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (
                    304,
                    b"",
                    etag,
                )
            assert read.get(path, {"If-None-Match": 'W/"x"'}).status_code == 200


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
    ],
)
def test_what_a_page_loads_says_what_it_is(read: Read, path: str, media_type: str) -> None:
    headers = read.get(path).headers
    assert headers["content-type"] == media_type


def test_the_page_of_the_calls_loads_its_own_files_alone(read: Read) -> None:
    page = read.get("/docs")
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    loaded = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page.text)
    assert len(loaded) == page.text.count("<script") + page.text.count('rel="stylesheet"')
    assert [read.get(path).status_code for path in loaded] == [200, 200, 200]
    assert read.get("/docs/redoc.standalone.js").status_code == 404


def test_head_is_answered_as_get_without_a_body(read: Read) -> None:
    for path in (
        *RESOURCES,
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v1/opd/nobody/ikm",
        "/v1/ikm?window=x",
    ):
        get, head = read.get(path), read.ask("HEAD", path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers == get.headers


def test_an_etag_changes_with_the_figures_and_only_with_them(town: City, read: Read) -> None:
    path, other = "/v1/opd/dinkes/ikm?window=7d", "/v1/opd/dukcapil/ikm?window=7d"
    before, kept = read.get(path).headers["etag"], read.get(other).headers["etag"]
    town.count("dinkes", "imunisasi", "111111111")
    town.refresh()
    eventually(lambda: read.get(path, {"If-None-Match": before}).status_code == 200)
    assert read.get(other, {"If-None-Match": kept}).status_code == 304


MISMATCH = "string-pattern-mismatch"


def contradicts(parameter: str) -> tuple[str, str]:
    return f"/query/{parameter}", "contradiction"


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/v1/opd/nobody/ikm", 404, [("/path/opd", "unknown-opd")]),
        ("/v1/opd/%00/ikm", 404, [("/path/opd", "unknown-opd")]),
        ("/v1/opd/nobody/trend", 404, [("/path/opd", "unknown-opd")]),
        ("/v1/opd/nobody/breakdown?by=sex", 404, [("/path/opd", "unknown-opd")]),
        ("/v1/opd/dinkes/ikm?layanan=ktp-el", 404, [("/query/layanan", "unknown-layanan")]),
        ("/v1/opd/dinkes/ikm?window=31d", 422, [("/query/window", MISMATCH)]),
        ("/v1/ikm?window=", 422, [("/query/window", MISMATCH)]),
        ("/v1/ikm?window=0000", 422, [("/query/window", MISMATCH)]),
        ("/v1/ikm?window=2026-Q5", 422, [("/query/window", MISMATCH)]),
        ("/v1/ikm?window=30d%0A", 422, [("/query/window", MISMATCH)]),
        ("/v1/ikm?window=٢٠٢٦", 422, [("/query/window", MISMATCH)]),
        ("/v1/ikm?from=2026-02-30", 422, [("/query/from", "value-error")]),
        ("/v1/ikm?from=20260201&to=x", 422, [("/query/from", MISMATCH), ("/query/to", MISMATCH)]),
        ("/v1/ikm?from=0000-01-01", 422, [("/query/from", "value-error")]),
        ("/v1/ikm?windw=30d", 422, [("/query/windw", "extra-forbidden")]),
        ("/v1/ikm?a~b%2Fc=1", 422, [("/query/a~0b~1c", "extra-forbidden")]),
        ("/v1/ikm?window=7d&window=30d", 422, [("/query/window", "repeated")]),
        ("/v1/opd/dinkes/breakdown", 422, [("/query/by", "missing")]),
        ("/v1/opd/dinkes/breakdown?by=all", 422, [("/query/by", "literal-error")]),
        ("/v1/opd/dinkes/trend?step=year", 422, [("/query/step", "literal-error")]),
        ("/v1/ikm?from=2026-02-01&to=2026-01-01", 409, [contradicts("from"), contradicts("to")]),
        ("/v1/ikm?window=7d&to=2026-01-01", 409, [contradicts("window"), contradicts("to")]),
        (
            "/v1/opd/dinkes/trend?step=day&from=0001-01-01",
            409,
            [contradicts("step"), contradicts("from")],
        ),
        ("/v1/opd/dinkes/ikm/", 404, []),
        ("/v1", 404, []),
    ],
)  # fmt: skip
def test_refusals_point_at_what_is_wrong(
    read: Read, path: str, status: int, expected: list[tuple[str, str]]
) -> None:
    answer = read.get(path)
    assert (answer.status_code, errors(answer)) == (status, expected)
    assert (answer.json()["status"], answer.headers["cache-control"]) == (status, "no-store")


def test_the_longest_trends(read: Read) -> None:
    assert (
        read.get("/v1/opd/dinkes/trend?step=month&from=1900-01-01&to=2200-12-31").status_code == 200
    )
    days = read.get("/v1/opd/dinkes/trend?step=day&to=9999-12-31").json()["series"]
    assert (len(days), days[-1]["to"]) == (4001, "9999-12-31")


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "NONSENSE"]
)
@pytest.mark.parametrize(
    "path", ["/v1/ikm", "/v1/opd/dinkes/ikm?window=7d", "/healthz", "/", "/openapi.json"]
)
def test_other_methods_are_refused_with_those_that_are_allowed(
    read: Read, method: str, path: str
) -> None:
    read.get(path)
    answer = read.ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.one_of(st.sampled_from(["window", "from", "to", "layanan", "by", "step"]), ANYTHING)
VALUES = st.one_of(
    st.sampled_from(["30d", "2026-05", "2026-05-04", "farmasi", "sex", "day"]), ANYTHING
)
PATHS = st.one_of(
    st.sampled_from(
        ["/v1/ikm", "/v1/opd/dinkes/ikm", "/v1/opd/dinkes/trend", "/v1/opd/dinkes/breakdown", "/"]
    ),
    ANYTHING.map(lambda text: "/v1/opd/" + quote(text)),
    ANYTHING.map(lambda text: "/v1/receipts/" + quote(text)),
    ANYTHING.map(lambda text: "/" + quote(text)),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=PATHS, query=st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_no_request_fails_the_service(read: Read, path: str, query: list[tuple[str, str]]) -> None:
    answer = read.get(f"http://read{path}?{urlencode(query)}")
    assert answer.status_code in {200, 404, 409, 422}
    if answer.status_code != 200:
        errors(answer)


def test_before_anything_is_loaded_reads_are_answered_503(town: City) -> None:
    read = Read(ReadApi(town.settings(), town.clock))
    for path in ("/v1/ikm", "/v1/opd/dinkes/ikm", "/v1/opd/dinkes/trend", "/"):
        answer = read.get(path)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
            503,
            "starting",
            "1",
        )
    ready = read.get("/readyz")
    assert (ready.status_code, ready.json()["reason"], ready.headers["retry-after"]) == (
        503,
        "starting",
        "2",
    )
    assert read.get("/healthz").status_code == 200


def test_without_postgresql_the_last_known_figures_are_served(own_postgres: Postgres) -> None:
    migrate.upgrade(own_postgres.url)
    with city(own_postgres.url) as town:
        town.count("dinkes", "farmasi", "443444433")
        town.refresh()
        with town.served() as read:
            town.engine.dispose()
            own_postgres.stop()
            eventually(lambda: not read.get("/readyz").json()["database"])
            answer = read.get("/v1/opd/dinkes/ikm?window=today")
            assert (answer.status_code, answer.json()["respondents"]) == (200, 1)
            assert read.get("/v1/ikm").status_code == read.get("/readyz").status_code == 200
            assert "ikm_database_up 0.0" in read.get("/metrics").text.splitlines()
            summed = read.get("/v1/opd/dinkes/trend")
            assert (summed.status_code, summed.json()["code"]) == (503, "database-unavailable")
            assert "retry-after" in summed.headers
            own_postgres.start()
            eventually(lambda: read.get("/v1/opd/dinkes/trend").status_code == 200)
            town.count("dinkes", "farmasi", "443444433")
            town.refresh()
            eventually(
                lambda: read.get("/v1/opd/dinkes/ikm?window=today").json()["respondents"] == 2
            )
            assert read.get("/readyz").json()["database"]

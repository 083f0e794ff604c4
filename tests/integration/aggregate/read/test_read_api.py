"""The read API's contract, on a real PostgreSQL."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.storage import tables
from shared.storage.engine import transaction
from tests.integration.aggregate import tally_seed as seed
from tests.integration.aggregate.read.read_service import NOON, TODAY, City, Read, city, eventually

DAY = timedelta(days=1)


@pytest.fixture
def town(database_url: str) -> Iterator[City]:
    with city(database_url) as town:
        yield town


@pytest.fixture
def read(town: City) -> Iterator[Read]:
    town.count("dukcapil", "ktp-el", "443444433", "333333333")
    town.count("dinkes", "farmasi", "22222222-", day=TODAY - 20 * DAY)
    town.refresh()
    with town.served() as client:
        yield client


def test_the_index_of_an_opd(read: Read) -> None:
    answer = read.get("/v1/opd/dukcapil/ikm?window=30d")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    unsur = body.pop("unsur")
    assert body == {
        "opd": "dukcapil",
        "name": "Dinas dukcapil",
        "layanan": None,
        "layanan_name": None,
        "window": {"name": "30d", "from": "2026-10-05", "to": "2026-11-03"},
        "view": "internal",
        "respondents": 2,
        "ikm": 83.33,
        "mutu": "B",
        "kinerja": "Baik",
        "ci95": [67.0, 99.67],
        "scheme": "exact",
        "comparison": {"0.11": 82.5, "0.111": 83.25},
        "sample": {"population": 12000, "required": 372, "achieved": 2},
        "updated_at": "2026-11-03T12:00:00+07:00",
        "released_at": None,
        "withheld": False,
    }
    assert len(unsur) == 9
    assert unsur[8] == {
        "code": "U9",
        "key": "pengaduan",
        "name": "Penanganan Pengaduan, Saran dan Masukan",
        "answered": 2,
        "nrr": 3.0,
        "ikm": 75.0,
        "mutu": "C",
    }
    assert b'"nrr":3.000' in answer.content
    assert b'"ikm":75.00' in answer.content


def test_of_a_layanan(read: Read) -> None:
    body = read.get("/v1/opd/dinkes/ikm?window=30d&layanan=farmasi").json()
    assert (body["layanan"], body["layanan_name"], body["respondents"], body["ikm"]) == (
        "farmasi", "Layanan farmasi", 1, 50.0,
    )  # fmt: skip
    assert [unsur["answered"] for unsur in body["unsur"]] == [1] * 8 + [0]
    assert (body["unsur"][8]["nrr"], body["ci95"], body["sample"]["population"]) == (
        None,
        None,
        1000,
    )
    empty = read.get("/v1/opd/dinkes/ikm?layanan=imunisasi&window=all").json()
    assert (empty["respondents"], empty["ikm"], empty["mutu"], empty["kinerja"]) == (
        0,
        None,
        None,
        None,
    )


def test_the_list_of_all(read: Read) -> None:
    body = read.get("/v1/ikm?window=7d").json()
    assert body["window"] == {"name": "7d", "from": "2026-10-28", "to": "2026-11-03"}
    instansi = body["instansi"]
    assert (instansi["code"], instansi["name"], instansi["primary"]) == (
        "kota",
        "Kota Contoh",
        "pooled",
    )
    assert (instansi["respondents"], instansi["ikm"], instansi["mutu"]) == (2, 83.33, "B")
    assert instansi["mean"] == {"ikm": 83.33, "mutu": "B", "kinerja": "Baik", "opd": 1}
    assert [(opd["code"], opd["respondents"], opd["ikm"], opd["mutu"]) for opd in body["opd"]] == [
        ("dinkes", 0, None, None),
        ("dukcapil", 2, 83.33, "B"),
    ]


def test_both_roll_ups_are_shown(read: Read) -> None:
    instansi = read.get("/v1/ikm").json()["instansi"]
    assert instansi["ikm"] == instansi["pooled"]["ikm"]
    assert (instansi["mean"]["ikm"], instansi["mean"]["opd"]) == (66.67, 2)


@pytest.mark.parametrize(
    ("query", "first", "last", "respondents"),
    [
        ("window=2026", "2026-01-01", "2026-12-31", 3),
        ("window=2026-S1", "2026-01-01", "2026-06-30", 0),
        ("window=2026-Q4", "2026-10-01", "2026-12-31", 3),
        ("window=2026-10", "2026-10-01", "2026-10-31", 1),
        ("from=2026-10-14&to=2026-10-14", "2026-10-14", "2026-10-14", 1),
        ("from=2026-10-15", "2026-10-15", None, 2),
        ("to=2026-10-14", None, "2026-10-14", 1),
        ("", None, None, 3),
    ],
)
def test_windows_and_days(
    read: Read, query: str, first: str | None, last: str | None, respondents: int
) -> None:
    body = read.get(f"/v1/ikm?{query}").json()
    assert (body["window"]["from"], body["window"]["to"]) == (first, last)
    assert body["instansi"]["respondents"] == respondents
    by_opd = [read.get(f"/v1/opd/{opd}/ikm?{query}").json() for opd in ("dinkes", "dukcapil")]
    assert sum(opd["respondents"] for opd in by_opd) == respondents
    assert [opd["ikm"] for opd in by_opd] == [opd["ikm"] for opd in body["opd"]]


def test_days_give_the_same_figures_as_the_window_of_these_days(read: Read) -> None:
    for opd, more in (("dinkes", ""), ("dukcapil", ""), ("dinkes", "&layanan=farmasi")):
        rolled = read.get(f"/v1/opd/{opd}/ikm?window=30d{more}").json()
        summed = read.get(f"/v1/opd/{opd}/ikm?from=2026-10-05&to=2026-11-03{more}").json()
        assert {**rolled, "window": None} == {**summed, "window": None}
    rolled, summed = (
        read.get(f"/v1/ikm?{query}").json()
        for query in ("window=30d", "from=2026-10-05&to=2026-11-03")
    )
    assert {**rolled, "window": None} == {**summed, "window": None}


def test_a_trend_has_every_step_also_the_empty_ones(read: Read) -> None:
    body = read.get("/v1/opd/dinkes/trend?step=day&from=2026-10-13&to=2026-10-15").json()
    assert (body["opd"], body["step"], body["scheme"]) == ("dinkes", "day", "exact")
    assert [
        (point["from"], point["to"], point["respondents"], point["ikm"], point["mutu"])
        for point in body["series"]
    ] == [
        ("2026-10-13", "2026-10-13", 0, None, None),
        ("2026-10-14", "2026-10-14", 1, 50.0, "D"),
        ("2026-10-15", "2026-10-15", 0, None, None),
    ]


def test_a_trend_without_days_goes_from_the_first_respondent_to_today(read: Read) -> None:
    weeks = read.get("/v1/opd/dinkes/trend?step=week").json()["series"]
    assert (weeks[0]["from"], weeks[0]["to"], weeks[-1]["to"]) == (
        "2026-10-14",
        "2026-10-18",
        "2026-11-03",
    )
    months = read.get("/v1/opd/dinkes/trend").json()["series"]
    assert [(month["from"], month["respondents"]) for month in months] == [
        ("2026-10-14", 1),
        ("2026-11-01", 0),
    ]
    assert read.get("/v1/opd/dinkes/trend?layanan=imunisasi").json()["series"] == []
    assert read.get("/v1/opd/dinkes/trend?from=2030-01-01").json()["series"] == []


def test_a_breakdown_by_layanan(town: City, read: Read) -> None:
    town.count("dinkes", "imunisasi", *["444444444"] * 5)
    town.count("dinkes", "farmasi", *["333333333"] * 5)
    body = read.get("/v1/opd/dinkes/breakdown?by=layanan&window=30d").json()
    assert (body["by"], body["window"]["name"]) == ("layanan", "30d")
    assert body["cells"] == [
        {
            "value": code,
            "label": f"Layanan {code}",
            "respondents": n,
            "ikm": ikm,
            "mutu": mutu,
            "withheld": False,
        }
        for code, n, ikm, mutu in (("farmasi", 6, 71.3, "C"), ("imunisasi", 5, 100.0, "A"))
    ]


def test_a_key_that_may_read_sees_small_cells_too(town: City, read: Read) -> None:
    with transaction(town.engine) as connection:
        for value, n in (("L", 2), ("P", 7)):
            seed.count(
                connection,
                "dukcapil",
                "ktp-el",
                TODAY,
                ["444444444"] * n,
                today=TODAY,
                cell=("sex", value),
            )
        seed.count(
            connection, "dukcapil", "ktp-el", TODAY, ["444444444"] * 18, today=TODAY
        )  # 20 in all
    of_opd = read.get("/v1/opd/dukcapil/breakdown?by=sex").json()
    cells = [(cell["value"], cell["label"], cell["respondents"]) for cell in of_opd["cells"]]
    assert cells == [("L", "Laki-laki", 2), ("P", "Perempuan", 7), (None, "Tidak diisi", 11)]
    assert (of_opd["opd"], of_opd["view"], of_opd["withheld"]) == ("dukcapil", "internal", False)
    of_instansi = read.get("/v1/breakdown?by=sex").json()
    assert (of_instansi["opd"], of_instansi["name"]) == (None, "Kota Contoh")
    assert [cell["respondents"] for cell in of_instansi["cells"]] == [2, 7, 12]


def test_a_receipt_that_was_counted_parked_or_is_not_known(town: City, read: Read) -> None:
    counted, parked = uuid4(), uuid4()
    values = {"channel": "loket", "source_id": "1", "received_at": NOON, "digest": 0}
    with transaction(town.engine) as connection:
        connection.execute(
            sa.insert(tables.receipt),
            [
                {**values, "receipt": counted, "state": "counted", "reason": None},
                {**values, "receipt": parked, "state": "parked", "reason": "unknown-opd"},
            ],
        )
    assert read.get(f"/v1/receipts/{counted}").json() == {
        "receipt": str(counted), "status": "counted", "reason": None,
        "received_on": "2026-11-03",
    }  # fmt: skip
    assert read.get(f"/v1/receipts/{str(parked).upper()}").json()["reason"] == "unknown-opd"
    for unknown in (uuid4(), "1", "%00", "{" + str(counted) + "}", counted.hex):
        answer = read.get(f"/v1/receipts/{unknown}")
        assert (answer.status_code, answer.headers["content-type"]) == (
            404,
            "application/problem+json",
        )


def test_a_count_is_visible_as_soon_as_it_is_refreshed(town: City, read: Read) -> None:
    def respondents() -> tuple[int, int]:
        opd, instansi = (
            read.get("/v1/opd/dukcapil/ikm").json(),
            read.get("/v1/ikm").json()["instansi"],
        )
        return opd["respondents"], instansi["respondents"]

    for n in range(3, 8):
        town.now += timedelta(seconds=1)
        town.count("dukcapil", "ktp-el", "444444444")
        town.refresh()
        while respondents() != (n, n + 1):
            time.sleep(0.01)
        body = read.get("/v1/opd/dukcapil/ikm").json()
        assert datetime.fromisoformat(body["updated_at"]) == town.now


def test_yesterday_is_never_served_as_today(town: City, read: Read) -> None:
    assert read.get("/v1/opd/dukcapil/ikm?window=today").json()["respondents"] == 2
    assert read.get("/v1/ikm?window=today").json()["instansi"]["respondents"] == 2
    town.now = datetime(
        2026, 11, 3, 17, 0, 0, tzinfo=UTC
    )  # midnight in Jakarta; nothing was refreshed since
    for path in ("/v1/opd/dukcapil/ikm?window=today", "/v1/ikm?window=today"):
        body = read.get(path).json()
        assert body["window"] == {"name": "today", "from": "2026-11-04", "to": "2026-11-04"}
        assert (body.get("respondents"), body.get("instansi", {}).get("respondents")) in {
            (0, None),
            (None, 0),
        }
    assert read.get("/v1/opd/dukcapil/ikm?window=7d").json()["window"]["to"] == "2026-11-04"
    assert read.get("/v1/opd/dukcapil/ikm?window=all").json()["respondents"] == 2
    town.refresh()
    eventually(lambda: read.get("/readyz").json()["as_of"] == "2026-11-04")
    assert read.get("/v1/opd/dukcapil/ikm?window=today").json()["respondents"] == 0
    assert read.get("/v1/opd/dukcapil/ikm?window=7d").json()["respondents"] == 2


def test_a_new_opd_and_a_new_name_are_served_within_seconds(town: City, read: Read) -> None:
    assert read.get("/v1/opd/dishub/ikm").status_code == 404
    with transaction(town.engine) as connection:
        connection.execute(sa.insert(tables.opd).values(code="dishub", name="Dinas Perhubungan"))
        connection.execute(
            sa.update(tables.opd)
            .where(tables.opd.c.code == "dinkes")
            .values(name="Dinas Kesehatan")
        )
        connection.execute(sa.update(tables.registry_version).values(version=2))
    eventually(lambda: read.get("/v1/opd/dishub/ikm").status_code == 200)
    assert read.get("/v1/opd/dishub/ikm?window=30d").json()["respondents"] == 0
    assert read.get("/v1/opd/dinkes/ikm?window=30d").json()["name"] == "Dinas Kesehatan"
    assert [opd["code"] for opd in read.get("/v1/ikm").json()["opd"]] == [
        "dinkes",
        "dishub",
        "dukcapil",
    ]


def test_a_closed_opd_is_listed_where_it_has_respondents(town: City, read: Read) -> None:
    with transaction(town.engine) as connection:
        closed = (
            sa.update(tables.opd)
            .where(tables.opd.c.code == "dinkes")
            .values(valid_to=date(2026, 10, 31))
        )
        connection.execute(closed)
        connection.execute(sa.update(tables.registry_version).values(version=2))
    eventually(lambda: read.get("/readyz").json()["registry"] == 2)
    listed = {
        window: [opd["code"] for opd in read.get(f"/v1/ikm?window={window}").json()["opd"]]
        for window in ("7d", "30d")
    }
    assert listed == {"7d": ["dukcapil"], "30d": ["dinkes", "dukcapil"]}


def test_an_instansi_that_publishes_the_mean(database_url: str) -> None:
    with city(database_url, primary_rollup="mean", scheme="0.11") as town:
        town.count("dukcapil", "ktp-el", "444444444", "444444444", "444444444")
        town.count("dinkes", "farmasi", "222222222")
        town.refresh()
        with town.served() as read:
            for query in ("window=all", "from=2026-11-03"):
                instansi = read.get(f"/v1/ikm?{query}").json()["instansi"]
                headline = [instansi[field] for field in ("primary", "ikm", "mutu", "scheme")]
                assert headline == ["mean", 74.25, "C", "0.11"]
                assert (instansi["ci95"], instansi["pooled"]["ikm"]) == (None, 86.63)


def test_nothing_counted_yet(database_url: str) -> None:
    with city(database_url) as town, town.served() as read:
        body = read.get("/v1/ikm?window=30d").json()
        assert (body["instansi"]["ikm"], body["instansi"]["respondents"], len(body["opd"])) == (
            None,
            0,
            2,
        )
        assert read.get("/v1/opd/dinkes/ikm").json()["ikm"] is None
        assert read.get("/v1/opd/dinkes/breakdown?by=sex").json()["cells"] == []
        assert read.get("/v1/opd/dinkes/trend").json()["series"] == []


def test_probes_and_metrics(town: City, read: Read) -> None:
    assert read.get("/healthz").json() == {"status": "ok"}
    assert read.get("/readyz").json() == {
        "ready": True, "reason": None, "database": True, "registry": 1, "as_of": "2026-11-03",
    }  # fmt: skip
    with transaction(town.engine) as connection:
        values = {
            "epoch": uuid4(),
            "day": TODAY,
            "accepted": 6,
            "counted": 3,
            "duplicate": 2,
            "parked": 1,
        }
        connection.execute(sa.insert(tables.ledger).values(values))
    town.now += timedelta(seconds=90)
    town.count("dinkes", "farmasi", "444444444")
    text = read.get("/metrics").text
    for line in (
        "ikm_settled_submissions_total 6.0",
        "ikm_counted_submissions_total 3.0",
        "ikm_duplicate_submissions_total 2.0",
        "ikm_parked_submissions_total 1.0",
        "ikm_stale_opd 1.0",
        "ikm_rolling_age_seconds 90.0",
        "ikm_database_up 1.0",
    ):
        assert line in text.splitlines()


def test_the_openapi_document_names_the_bodies(read: Read) -> None:
    document = read.get("/openapi.json").json()
    operation = document["paths"]["/v1/opd/{opd}/ikm"]["get"]
    assert set(operation["responses"]) == {
        *("200", "304", "401", "403", "404", "409", "422", "503")
    }
    figure = document["components"]["schemas"]["OpdIndex"]["properties"]["ikm"]
    assert figure == {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert "ValidationError" not in json.dumps(document)

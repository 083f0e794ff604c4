"""Imports over HTTP: taken in pieces, told, cancelled, reported; for keys of the channel alone."""

import json
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from services.aggregate.read.api import uploads
from shared.domain.violation import Violation
from shared.storage import tables
from shared.storage.engine import transaction
from shared.storage.imports import files, holding
from shared.storage.registry import access_keys
from tests.builders import authorization
from tests.integration.access import stored_key
from tests.integration.aggregate.read.read_service import NOON, City, Read, city

KEY, OTHER_KEY, SANDBOX_KEY = "kunci-uji-impor", "kunci-uji-lain", "kunci-uji-coba"
MINE, THEIRS = authorization(KEY), authorization(OTHER_KEY)
CONTENT = b"No;U1\n" * 500
PATH = "/v1/imports?opd=dukcapil&day=2026-05-04"


@pytest.fixture
def town(database_url: str) -> Iterator[City]:
    with city(database_url) as town:
        with transaction(town.engine) as connection:
            kinds = {"loket": "api", "lain": "api", "coba": "uji"}
            connection.execute(
                sa.insert(tables.channel),
                [{"name": name, "kind": kind} for name, kind in kinds.items()],
            )
            keys = {KEY: "loket", OTHER_KEY: "lain", SANDBOX_KEY: "coba"}
            for number, (key, channel) in enumerate(keys.items()):
                access_keys.store(connection, key, stored_key(f"i{number}", channel, NOON))
        yield town


@pytest.fixture
def read(town: City) -> Iterator[Read]:
    with town.served() as served:
        yield served


def posted(read: Read, path: str = PATH, content: bytes = CONTENT) -> str:
    answer = read.ask("POST", path, MINE, content)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_a_file_is_kept_in_pieces_by_the_role_that_otherwise_only_reads(
    town: City, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PIECE_BYTES", 1000)
    answer = read.ask("POST", PATH, MINE, CONTENT)
    import_id = uuid.UUID(answer.json()["id"])
    assert answer.headers["location"] == f"/v1/imports/{import_id}"
    assert (answer.json()["status"], answer.json()["bytes"]) == ("waiting", len(CONTENT))
    assert b"".join(files.pieces(town.engine, import_id)) == CONTENT
    assert len(list(files.pieces(town.engine, import_id))) == 3


def test_only_keys_of_the_channel_see_and_cancel_an_import(town: City, read: Read) -> None:
    path = f"/v1/imports/{posted(read)}"
    assert read.get(path, MINE).json()["status"] == "waiting"
    for method in ("GET", "DELETE"):
        assert read.ask(method, path, THEIRS).status_code == 404
        assert read.ask(method, path).status_code == 403  # a key that only reads
    assert read.get(f"{path}/report", THEIRS).status_code == 404
    cancelled = read.ask("DELETE", path, MINE)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert read.ask("DELETE", path, MINE).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/imports?opd=entah", "/query/opd"),
        ("/v1/imports?layanan=ktp-el", "/query/layanan"),
        ("/v1/imports?preset=lain", "/query/preset"),
        ("/v1/imports?day=4/5/2026", "/query/day"),
        ("/v1/imports?timezone=Bulan", "/query/timezone"),
        ("/v1/imports?mapping=[1]", "/query/mapping"),
        ('/v1/imports?mapping={"opd":"x"}', "/query/mapping"),
        ("/v1/imports?bahasa=id", "/query/bahasa"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_file_is_kept(
    town: City, read: Read, path: str, parameter: str
) -> None:
    answer = read.ask("POST", path, MINE, CONTENT)
    assert answer.status_code == 422
    assert parameter in {fault["pointer"] for fault in answer.json()["errors"]}
    with town.engine.connect() as connection:
        assert files.unfinished(connection) == 0


def test_an_empty_or_too_large_file_is_refused_and_nothing_of_it_stays(
    town: City, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read.ask("POST", PATH, MINE, b"").status_code == 400
    monkeypatch.setattr(uploads, "PIECE_BYTES", 10)
    monkeypatch.setattr(uploads, "FILE_MAX_BYTES", 50)
    assert read.ask("POST", PATH, MINE, b"x" * 51).status_code == 413
    with transaction(town.engine) as connection:
        assert files.unfinished(connection) == 0
        files.tidy(connection)
        left = connection.scalar(sa.select(sa.func.count()).select_from(tables.import_piece))
    assert left == 0


def test_a_sandbox_imports_nothing_but_may_try(town: City, read: Read) -> None:
    sandbox = authorization(SANDBOX_KEY)
    assert read.ask("POST", PATH, sandbox, CONTENT).status_code == 403
    assert read.ask("POST", f"{PATH}&dry_run=true", sandbox, CONTENT).status_code == 202


def test_too_many_waiting_files_are_put_off(
    town: City, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "UNFINISHED_MAX", 1)
    posted(read)
    answer = read.ask("POST", PATH, MINE, CONTENT)
    assert (answer.status_code, answer.json()["code"]) == (503, "imports-full")
    assert answer.headers["retry-after"] == "60"


def test_the_report_names_each_refused_row_as_json_and_csv(
    town: City, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_REPORT_PAGE", 2)
    import_id = uuid.UUID(posted(read))
    faults = [Violation("/U1", "choice", "=1+1 is none")]
    with transaction(town.engine) as connection:
        claimed = holding.claim(connection, uuid.uuid4())
        assert claimed is not None
        refusals = [holding.Refusal(line, faults) for line in (2, 3, 7)]
        holding.advance(connection, claimed, holding.Advance(7, 10, 4, refusals))
    path = f"/v1/imports/{import_id}/report"
    report = json.loads(read.get(path, MINE).content)
    assert [row["line"] for row in report["refused"]] == [2, 3, 7]
    lines = read.get(f"{path}?format=csv", MINE).text.splitlines()
    assert lines[0] == "\ufeffline,pointer,code,detail"
    assert lines[3] == "7,/U1,choice,'=1+1 is none"

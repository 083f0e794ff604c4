"""`ikm status`, `parked`, `verify` and `rebuild`, as an operator uses them."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from services.aggregate.rolling.refresh import refresh
from services.aggregate.worker.context import WorkerContext
from services.ops import health
from services.ops.cli import cli
from shared.registry.publication import publish
from shared.storage import tables
from shared.storage.engine import transaction
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    answers,
    apply,
    count,
    put,
    rows,
    sent,
    worker_context,
)

Ikm = Callable[..., Result]
MENDED = "opd: [{code: baru, name: Baru, layanan: [{code: ktp-el, name: KTP}]}]"


@pytest.fixture
def context(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkerContext]:
    """A system in which something is counted, something parked, and all refreshed and published."""
    monkeypatch.setattr(health, "STALE_S", 0.5)
    with worker_context(database_url, redis_url) as context:
        apply(context.engine)
        put(
            redis_url,
            sent("a"),
            sent("a", answers=answers("111111111")),
            sent("b", opd="baru"),
            sent("c", opd="baru", layanan="tidak-ada"),
        )
        count(context)
        settle_down(context)
        yield context


def settle_down(context: WorkerContext) -> None:
    refresh(context.engine, context.registry(), stopped_clock(datetime.now(UTC)), context.cache)
    publish(context.redis, "ikm:", context.registry())


@pytest.fixture
def ikm(database_url: str, redis_url: str, tmp_path: Path) -> Ikm:
    environment = {
        "IKM_HOME": str(tmp_path),
        "IKM_DATABASE_URL": database_url,
        "IKM_REDIS_URL": redis_url,
        "IKM_PORT": "1",  # where nothing listens
    }

    def run(*arguments: str, **env: str) -> Result:
        """Like `main`: what a command returns is its exit code."""
        runner = CliRunner(env={**environment, **env})
        result = runner.invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
        if isinstance(result.return_value, int):
            result.exit_code = result.return_value
        return result

    return run


def code_of(context: WorkerContext, source_id: str) -> str:
    query = sa.select(tables.parked.c.receipt).where(tables.parked.c.source_id == source_id)
    with context.engine.connect() as connection:
        return str(connection.scalar(query))


def damage(context: WorkerContext, statement: str) -> None:
    with transaction(context.engine) as connection:
        assert connection.execute(sa.text(statement)).rowcount > 0


# --- parked ---


def test_parked_submissions_are_listed_with_the_totals_of_their_reasons(
    context: WorkerContext, ikm: Ikm
) -> None:
    shown = ikm("parked", "list").stdout.splitlines()
    assert shown[0].split() == ["RECEIPT", "DITERIMA", "KANAL", "ALASAN", "ULANG"]
    assert len(shown) == 6
    assert (
        f"{code_of(context, 'a')}  2026-05-04T03:00:00+00:00"
        "  loket             id-conflict                 0" in shown
    )
    assert shown[-2:] == ["        1  id-conflict", "        2  unknown-opd"]


def test_the_list_can_be_narrowed_and_read_by_programs(context: WorkerContext, ikm: Ikm) -> None:
    listing = json.loads(
        ikm("parked", "list", "--reason", "unknown-opd", "--limit", "1", "--json").stdout
    )
    assert listing["reasons"] == {"id-conflict": 1, "unknown-opd": 2}
    (row,) = listing["parked"]
    assert (row["channel"], row["reason"], row["tries"]) == ("loket", "unknown-opd", 0)
    assert row["violations"][0]["pointer"] == "/opd"


def test_one_is_shown_with_its_body_and_what_is_wrong_with_it(
    context: WorkerContext, ikm: Ikm
) -> None:
    result = ikm("parked", "show", code_of(context, "b"))
    assert result.exit_code == 0
    assert "violation    /opd: unknown-opd: is not in the registry" in result.stdout.splitlines()
    assert json.loads(result.stdout.splitlines()[-1])["opd"] == "baru"


def test_what_a_stranger_sent_does_not_command_the_terminal(
    context: WorkerContext, redis_url: str, ikm: Ikm
) -> None:
    evil = sent("evil", opd="baru", comment="x")
    put(redis_url, evil._replace(body=evil.body.replace(b'"x"', '"\x9b31m \u202e"'.encode())))
    count(context)
    shown = ikm("parked", "show", code_of(context, "evil")).stdout
    assert "\\x9b31m \\u202e" in shown
    assert all(sign.isprintable() or sign == "\n" for sign in shown)


def test_one_that_is_not_parked_is_said(context: WorkerContext, ikm: Ikm) -> None:
    result = ikm("parked", "show", str(uuid4()))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is not parked" in result.stderr


def test_nothing_parked_is_said(context: WorkerContext, ikm: Ikm) -> None:
    damage(context, "DELETE FROM parked")
    assert ikm("parked", "list").stdout == "tidak ada yang diparkir / nothing is parked\n"


def test_a_replay_says_what_it_came_to(context: WorkerContext, ikm: Ikm) -> None:
    apply(context.engine, MENDED)
    assert ikm("parked", "replay", "--reason", "unknown-opd").stdout.endswith(
        "1 counted, 1 still parked, 0 not parked\n"
    )
    assert ikm("parked", "replay", "--all").stdout.endswith(
        "/ 0 counted, 2 still parked, 0 not parked\n"
    )
    assert ikm("parked", "replay", "--all", "--force").stdout.endswith(
        "/ 1 counted, 1 still parked, 0 not parked\n"
    )
    totals = json.loads(ikm("parked", "list", "--json").stdout)["reasons"]
    assert totals == {"unknown-layanan": 1}
    settle_down(context)
    assert ikm("verify").exit_code == 0


def test_a_replay_of_what_is_not_parked_fails(context: WorkerContext, ikm: Ikm) -> None:
    result = ikm("parked", "replay", code_of(context, "b"), str(uuid4()))
    assert result.stdout.endswith("/ 0 counted, 1 still parked, 1 not parked\n")
    assert result.exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["--all", "--reason", "x"], ["--all", str(uuid4())]])
def test_a_replay_must_be_told_of_what(ikm: Ikm, arguments: list[str]) -> None:
    with pytest.raises(click.UsageError, match="say which"):
        ikm("parked", "replay", *arguments)


# --- verify, rebuild ---


def test_verify_finds_nothing_then_something_and_rebuild_mends_it(
    context: WorkerContext, ikm: Ikm
) -> None:
    result = ikm("verify")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0, ["accepted 4, counted 1, duplicate 0, parked 3", "tidak ada temuan / nothing found"]
    )  # fmt: skip
    before = rows(context.engine, tables.day_tally)
    damage(context, "UPDATE day_tally SET n = 7 WHERE facet = 'all'")
    result = ikm("verify")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("! rolling: rolling_ikm ")
    assert (
        "! tally: day_tally disdukcapil/ktp-el 2026-05-04 skm-2017: n 7, responses give 1"
        in result.stdout
    )
    result = ikm("rebuild")
    assert result.exit_code == 0
    assert result.stdout.endswith("1 responses added up, 1 rows changed, 2 OPDs to be refreshed\n")
    assert rows(context.engine, tables.day_tally) == before
    settle_down(context)
    assert ikm("verify").exit_code == 0


def test_findings_can_be_read_by_programs(context: WorkerContext, ikm: Ikm) -> None:
    assert json.loads(ikm("verify", "--json").stdout)["findings"] == []
    damage(context, "DELETE FROM parked WHERE source_id = 'b'")
    result = ikm("verify", "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["check"] == "receipts"


# --- status ---


def status(ikm: Ikm, **env: str) -> tuple[int, dict[str, Any]]:
    result = ikm("status", "--json", **env)
    return result.exit_code, json.loads(result.stdout)


def test_a_system_that_is_well(context: WorkerContext, ikm: Ikm) -> None:
    exit_code, report = status(ikm)
    assert (exit_code, report["well"], report["troubles"]) == (0, True, [])
    assert (report["stack"], report["service"]) == (None, None)
    assert report["inbox"] == {"waiting": 0, "entries": 0, "oldest_age": 0.0}
    assert report["database"] == {
        "ledger": {"accepted": 4, "counted": 1, "duplicate": 0, "parked": 3},
        "parked": {"id-conflict": 1, "unknown-opd": 2},
        "opd": 2,
        "stale": 0,
        "registry": context.registry().version,
    }


def test_the_status_for_people_says_the_same(context: WorkerContext, ikm: Ikm) -> None:
    lines = [line.split() for line in ikm("status").stdout.splitlines()]
    assert ["menunggu", "/", "waiting", "0", "(0.0", "s)"] in lines
    assert ["diparkir", "/", "now", "parked", "3"] in lines
    assert ["unknown-opd", "2"] in lines


def test_opds_that_nobody_refreshes_are_a_trouble(context: WorkerContext, ikm: Ikm) -> None:
    damage(context, "UPDATE opd_state SET version = version + 1 WHERE opd = 'dinkes'")
    exit_code, report = status(ikm)
    assert exit_code == 1
    assert report["troubles"] == ["1 OPDs are not being refreshed (dinkes): do workers run?"]


def test_opds_that_are_being_refreshed_are_none(
    context: WorkerContext, ikm: Ikm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STALE_S", 10.0)
    damage(context, "UPDATE opd_state SET version = version + 1")
    later = threading.Timer(0.5, settle_down, [context])
    later.start()
    exit_code, report = status(ikm)
    later.join()
    assert (exit_code, report["database"]["stale"]) == (0, 2)


def test_submissions_that_nobody_counts_are_a_trouble(
    context: WorkerContext, redis_url: str, ikm: Ikm, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis_url, sent("new"))
    assert status(ikm)[0] == 0
    monkeypatch.setattr(health, "OLD_S", 0.0)
    time.sleep(0.01)
    exit_code, report = status(ikm)
    assert (exit_code, report["inbox"]["waiting"]) == (1, 1)
    assert "do workers run?" in report["troubles"][0]


def test_a_registry_that_is_not_published_is_a_trouble(context: WorkerContext, ikm: Ikm) -> None:
    apply(context.engine, MENDED)
    refresh(context.engine, context.registry(), stopped_clock(datetime.now(UTC)), context.cache)
    exit_code, report = status(ikm)
    assert exit_code == 1
    assert "is not published" in report["troubles"][0]


@pytest.mark.parametrize("away", ["IKM_DATABASE_URL", "IKM_REDIS_URL"])
def test_a_server_that_is_away_is_a_trouble_and_the_rest_is_shown(
    context: WorkerContext, ikm: Ikm, away: str
) -> None:
    nowhere = {
        "IKM_DATABASE_URL": "postgresql+psycopg://x@/x?host=/nowhere",
        "IKM_REDIS_URL": "unix:///nowhere",
    }
    exit_code, report = status(ikm, **{away: nowhere[away]})
    assert (exit_code, len(report["troubles"])) == (1, 1)
    assert (report["database"] is None) == (away == "IKM_DATABASE_URL")
    assert (report["inbox"] is None) == (away == "IKM_REDIS_URL")


class Readiness(BaseHTTPRequestHandler):
    answer: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        body = json.dumps(self.answer).encode()
        self.send_response(200 if self.answer["ready"] else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Readiness) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def write_stack(home: Path, port: int, **processes: int) -> None:
    stack = {
        "pid": os.getpid(),
        "url": f"http://127.0.0.1:{port}",
        "port": port,
        "processes": processes,
    }
    (home / "stack.json").write_text(json.dumps(stack))


def test_the_stack_its_processes_and_what_a_202_promises_are_shown(
    context: WorkerContext, ikm: Ikm, tmp_path: Path, port: int
) -> None:
    Readiness.answer = {"ready": True, "durability": {"promise": "disk"}}
    write_stack(tmp_path, port, web=os.getpid(), beat=os.getpid())
    lines = [line.split() for line in ikm("status").stdout.splitlines()]
    assert ["proses", "/", "processes", "up", "web", "beat"] in lines
    assert ["202", "berarti", "/", "means", "disk"] in lines
    exit_code, report = status(ikm)
    assert (exit_code, report["stack"]["processes"]) == (
        0,
        {"up": True, "web": True, "beat": True},
    )


def test_a_process_that_ended_and_a_service_that_is_not_ready_are_troubles(
    context: WorkerContext, ikm: Ikm, tmp_path: Path, port: int
) -> None:
    Readiness.answer = {"ready": False, "reason": "inbox-full"}
    ended = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(ended, 0)
    write_stack(tmp_path, port, web=os.getpid(), beat=ended)
    exit_code, report = status(ikm)
    assert exit_code == 1
    assert report["troubles"] == [
        "beat does not run",
        f"http://127.0.0.1:{port}/readyz: not ready: inbox-full",
    ]


def test_a_service_of_the_stack_that_does_not_answer_is_a_trouble(
    context: WorkerContext, ikm: Ikm, tmp_path: Path
) -> None:
    write_stack(tmp_path, 1)
    exit_code, report = status(ikm)
    assert exit_code == 1
    assert "Connection refused" in report["troubles"][0]

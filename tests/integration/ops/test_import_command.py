"""`ikm import`: tried here, sent to the workers, followed to the end, with exit codes."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from services.aggregate.imports.running import Workplace, run_next
from services.aggregate.worker.context import WorkerContext
from services.ops.cli import cli
from services.ops.commands.transfer.import_ import CannotImport
from shared.connections import worker_redis
from tests.integration.aggregate.counting.counting import apply, worker_context
from tests.integration.aggregate.imports.survey_file import line, sheet

Ikm = Callable[..., Result]
OPTIONS = ("--channel", "loket", "--opd", "disdukcapil", "--day", "2026-05-04")


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url) as worker:
        apply(worker.engine)
        yield worker


@pytest.fixture
def ikm(context: WorkerContext, database_url: str, tmp_path: Path) -> Ikm:
    environment = {"IKM_HOME": str(tmp_path), "IKM_DATABASE_URL": database_url}

    def run(*arguments: str) -> Result:
        return CliRunner(env=environment).invoke(
            cli, ["import", *arguments], catch_exceptions=False, standalone_mode=False
        )

    return run


@pytest.fixture
def reader(context: WorkerContext, redis_url: str) -> Iterator[None]:
    """A worker that reads what is sent."""
    ends = threading.Event()

    def read() -> None:
        with worker_redis(redis_url) as redis:
            while not ends.wait(0.1):
                run_next(Workplace(context.engine, redis, context.settings, lambda: None))

    thread = threading.Thread(target=read)
    thread.start()
    yield
    ends.set()
    thread.join()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "survei.csv"
    path.write_bytes(sheet(line(1), line(2, "9"), line(3)))
    return path


@pytest.mark.usefixtures("reader")
def test_a_file_is_sent_followed_and_reported(ikm: Ikm, file: Path, tmp_path: Path) -> None:
    report = tmp_path / "laporan.jsonl"
    result = ikm(str(file), *OPTIONS, "--report", str(report))
    assert result.return_value == 1
    assert "2 accepted, 1 refused" in result.stdout
    (refused,) = map(json.loads, report.read_text().splitlines())
    assert (refused["line"], refused["violations"][0]["pointer"]) == (3, "/U1")
    file.write_bytes(sheet(line(1)))
    assert ikm(str(file), *OPTIONS).return_value == 0
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(CannotImport, match="XLSX"):
        ikm(str(file), *OPTIONS)


def test_a_dry_run_needs_no_worker_and_sends_nothing(ikm: Ikm, file: Path) -> None:
    result = ikm(str(file), *OPTIONS, "--dry-run")
    assert result.return_value == 1
    assert "2 rows are good, 1 would be refused" in result.stdout
    assert "baris / line 3: /U1" in result.stderr


def test_a_mapping_file_goes_before_the_preset(ikm: Ikm, file: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "peta.yaml"
    answers = ", ".join(f"U{n}: U{n}" for n in range(1, 10))
    mapping.write_text(
        f"opd: {{value: disdukcapil}}\nlayanan: {{value: ktp-el}}\nanswers: {{{answers}}}\n"
    )
    result = ikm(str(file), "--channel", "loket", "--mapping", str(mapping), "--dry-run")
    assert "read_as 'mapping'" in result.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--channel", "entah"),
        ("--channel", "loket", "--opd", "entah"),
        ("--channel", "loket", "--day", "kemarin"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(
    ikm: Ikm, file: Path, options: tuple[str, ...]
) -> None:
    with pytest.raises(click.UsageError):
        ikm(str(file), *options)

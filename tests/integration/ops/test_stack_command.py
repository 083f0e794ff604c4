"""The command says what is wrong in one line, and its exit code says whose fault it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def ikm(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IKM_")}
    return subprocess.run(
        [sys.executable, "-m", "services.ops.cli", *arguments],
        cwd=REPOSITORY,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_without_a_stack_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = ikm("migrate", IKM_HOME=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "ikm up" in done.stderr


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = ikm(
        "migrate",
        IKM_HOME=str(tmp_path),
        IKM_DATABASE_URL=f"postgresql+psycopg://ikm@/ikm?host={tmp_path}",
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in done.stderr


def test_debugging_shows_where_it_happened(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://ikm@/ikm?host={tmp_path}"
    done = ikm("migrate", IKM_HOME=str(tmp_path), IKM_DATABASE_URL=url, IKM_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "nothing"], ["up", "--port", "70000"], []]
)
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    done = ikm(*arguments)
    assert done.returncode == 2
    assert "Usage: ikm" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_example_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    done = ikm("up", "--home", str(tmp_path), "--example", "atlantis")
    assert done.returncode == 1
    assert "tanjungpinang" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_database_is_migrated_once(database_url: str) -> None:
    first = ikm("migrate", IKM_DATABASE_URL=database_url)
    again = ikm("migrate", IKM_DATABASE_URL=database_url)
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout == again.stdout

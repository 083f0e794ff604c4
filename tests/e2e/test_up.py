"""`ikm up --example tanjungpinang`: published steps, a clean end, kept data, lasting processes."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.running import IKM, Up, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Start = Callable[..., Up]
STEP = re.compile(r"^ *(\d+)  2024-\d\d-\d\d +([\d.]+) +([ABCD]) +([\d.]+)  (.)$")
LETTERS = "CCCDCCCBBBBCCBBBBBBB"


def submission(number: str) -> dict[str, object]:
    answers = {f"U{unsur}": 3 for unsur in range(1, 10)}
    return {"id": f"e2e-{number}", "opd": "disdukcapil", "layanan": "ktp-el", "answers": answers}


def processes_of(home: Path) -> list[str]:
    """The command lines of the processes that work on this home, whoever their parent is now."""
    mark = f"IKM_HOME={home.resolve()}\0".encode()
    commands = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                mark in (folder / "environ").read_bytes()
                or str(home.resolve()) in (folder / "cmdline").read_text()
            ):
                commands.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has just ended
            continue
    return commands


def test_the_twenty_published_steps_are_reached_one_by_one(city: Up) -> None:
    steps = [step.groups() for line in city.lines if (step := STEP.match(line))]
    assert [int(number) for number, *_ in steps] == list(range(1, 21))
    assert {mark for *_, mark in steps} == {"✓"}
    assert "".join(letter for _, _, letter, _, _ in steps) == LETTERS
    assert city.wait_for("contoh-kediri: IKM").startswith(
        "contoh-kediri: IKM 77.50 B dari 20 responden"
    )


def test_ctrl_c_ends_everything_and_the_next_start_finds_the_data(
    start: Start, tmp_path: Path
) -> None:
    home = tmp_path / "a home"
    first = start(home)
    first.wait_for("contoh-kediri: IKM")
    assert len(processes_of(home)) > 6
    assert first.interrupt() == 0, first.output
    assert processes_of(home) == []
    assert not (home / "stack.json").exists()

    second = start(home)
    second.wait_for("all duplicates")
    assert second.wait_for("contoh-kediri: IKM").startswith(
        "contoh-kediri: IKM 77.50 B dari 20 responden"
    )
    assert second.interrupt() == 0


@pytest.mark.parametrize(
    "name", ["web", "worker-inbox", "worker-refresh", "beat", "redis", "postgres"]
)
def test_a_killed_process_comes_back_and_counting_goes_on(city: Up, name: str) -> None:
    before = eventually(lambda: city.respondents("disdukcapil"))
    pid = city.pid(name)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: city.state["processes"].get(name) not in (None, pid))
    city.post(submission(name))
    eventually(lambda: city.respondents("disdukcapil") == before + 1)


def test_killing_the_supervisor_ends_all_of_its_processes(start: Start, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = start(home)
    first.wait_for("contoh-kediri: IKM")
    first.process.kill()
    eventually(lambda: processes_of(home) == [], 60, lambda: "\n".join(processes_of(home)))

    second = start(home)
    assert second.wait_for("contoh-kediri: IKM").startswith(
        "contoh-kediri: IKM 77.50 B dari 20 responden"
    )


def test_a_second_stack_on_the_same_home_is_refused(city: Up) -> None:
    done = subprocess.run(
        [*IKM, "up", "--home", str(city.home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"process {city.process.pid}" in done.stderr


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*IKM, "up", "--home", str(tmp_path), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "postgres").exists()


def test_an_empty_home_starts_and_says_that_it_has_no_registry(
    start: Start, tmp_path: Path
) -> None:
    run = start(tmp_path / "home", example=None)
    run.wait_for("ikm apply FILE")
    run.wait_for("Ctrl-C")
    assert run.call("GET", "/healthz")[0] == 200
    assert run.interrupt() == 0

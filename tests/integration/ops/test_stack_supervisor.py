"""The supervisor restarts what ended, stops everything, and ends its children when it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.ops.errors import InUse
from services.ops.stack.child import Child, Program
from services.ops.stack.folders import held
from services.ops.stack.supervisor import Member, Supervisor, how_it_ended

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('up', flush=True); time.sleep(60)"
)


def child_of(
    folder: Path, code: str = "import time; time.sleep(60)", name: str = "sleeper"
) -> Child:
    return Child(Program(name, [sys.executable, "-c", code], folder / f"{name}.log"))


def eventually(condition: Callable[[], object], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    said: list[str] = []
    supervisor = Supervisor(said.append, lambda: None)
    yield supervisor
    supervisor.kill()


def test_a_process_that_was_killed_starts_again(tmp_path: Path, supervisor: Supervisor) -> None:
    child = child_of(tmp_path)
    supervisor.add(Member("sleeper", child, child.start, 5))
    first = child.pid
    child.kill()
    assert how_it_ended(child) == "SIGKILL"

    def started_again() -> bool:
        supervisor.check()
        return child.running and child.pid != first

    eventually(started_again)
    assert supervisor.pids() == {"sleeper": child.pid}


def test_a_process_that_keeps_ending_is_started_ever_more_rarely(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    child = child_of(tmp_path, "raise SystemExit(3)")
    member = Member("quitter", child, child.start, 5)
    supervisor.add(member)
    delays: list[float] = []
    while member.failures < 3:
        before = member.failures
        delay_s = member.delay_s()
        supervisor.check()
        if member.failures > before:
            delays.append(delay_s)
    assert delays == [0.2, 0.4, 0.8]
    assert how_it_ended(child) == "exit code 3"


def test_what_a_killed_process_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '60']);"
        " print(p.pid, flush=True); p.wait()"
    )
    child = child_of(tmp_path, code)
    child.start()
    log = tmp_path / "sleeper.log"
    eventually(log.read_text)
    grandchild = int(log.read_text())
    child.kill()
    eventually(lambda: not is_alive(grandchild))


def test_a_process_that_ignores_its_signal_is_killed(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    child = child_of(tmp_path, STUBBORN)
    supervisor.add(Member("stubborn", child, child.start, 0.3))
    eventually((tmp_path / "sleeper.log").read_text)
    supervisor.stop()
    assert how_it_ended(child) == "SIGKILL"


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from services.ops.stack.child import Child, Program
command = [sys.executable, "-c", "import time; time.sleep(60)"]
child = Child(Program("orphan", command, Path({str(tmp_path)!r}) / "log"))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        assert is_alive(orphan)
        parent.send_signal(signal.SIGKILL)
        eventually(lambda: not is_alive(orphan))


def test_a_lock_is_held_by_who_inherited_it(tmp_path: Path) -> None:
    child = child_of(tmp_path)
    lock = tmp_path / "lock"
    with held(lock, 0, "taken") as descriptor:
        child.start(descriptor)
    with pytest.raises(InUse, match="taken"), held(lock, 0, "taken"):
        pass
    child.kill()
    with held(lock, 0, "taken"):
        pass

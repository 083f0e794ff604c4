"""The processes of a benchmark: started on chosen cores, waited for, stopped, each with its log."""

import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.running.processes import pinned, tree
from services.ops.stack import child
from services.ops.stack.files import end_of

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
STOP_PATIENCE_S = 30.0


class ProgramFailed(Exception):
    """A process ended, or was not ready in time; carries the end of its log."""


class Program:
    """A running process and its descendants. It ends when the benchmark does, however that ends."""

    def __init__(self, running: child.Child) -> None:
        self._child = running
        self.log = running.program.log

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._child.running

    def pids(self) -> list[int]:
        """Return the process and its descendants, now."""
        return [] if self._child.pid is None else tree(self._child.pid)

    def end_of_log(self) -> str:
        """Return the last lines of its log."""
        return end_of(self.log, 30)

    def wait_until(self, ready: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait for `ready`; ProgramFailed when the process ends before, or patience does."""
        deadline = time.monotonic() + patience_s
        while not ready():
            if not self.runs or time.monotonic() > deadline:
                name, code = self._child.program.name, self._child.returncode
                raise ProgramFailed(f"{name} is not ready (exit code {code}): {self.end_of_log()}")
            time.sleep(0.05)


@contextmanager
def program(
    name: str,
    command: Sequence[str],
    folder: Path,
    cores: frozenset[int],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run `command` (a Python module and its arguments) on `cores` while the block lasts."""
    python = [sys.executable, "-m", *command]
    variables = {"PYTHONPATH": str(ROOT), **(environment or {})}
    log = folder / f"{name}.log"
    running = child.Child(child.Program(name, python, log, environment=variables))
    try:
        with pinned(cores):
            running.start()
        yield Program(running)
    finally:
        running.stop(STOP_PATIENCE_S)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

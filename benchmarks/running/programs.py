"""The processes of a benchmark: started on chosen cores, waited for, stopped; each with its log in the run's folder."""

import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.running.processes import pinned, tree
from services.ops.stack import child

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


class ProgramFailed(Exception):
    """A process ended, or was not ready in time; carries the end of its log."""


class Program:
    """A running process and its descendants. It ends when the benchmark does, however that ends."""

    def __init__(self, running: child.Child) -> None:
        self._child = running
        self.log = running.program.log

    def pids(self) -> list[int]:
        """The process and its descendants, now."""
        return [] if self._child.pid is None else tree(self._child.pid)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for `ready`; ProgramFailed when the process ends before, or after a minute."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if not self._child.running or time.monotonic() > deadline:
                tail = "\n".join(
                    self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
                )
                name, code = self._child.program.name, self._child.returncode
                raise ProgramFailed(f"{name} is not ready (exit code {code}):\n{tail}")
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
    whole = [sys.executable, "-m", *command]
    there = {"PYTHONPATH": str(ROOT), **(environment or {})}
    running = child.Child(child.Program(name, whole, folder / f"{name}.log", environment=there))
    with pinned(cores):
        running.start()
    try:
        yield Program(running)
    finally:
        running.stop(30)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

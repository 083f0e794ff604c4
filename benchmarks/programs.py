"""The processes of a benchmark: started on chosen cores, waited for, stopped; each with its log in the run's folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Address
from benchmarks.processes import pinned, tree

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0


class ProgramFailed(Exception):
    """A process ended, or was not ready in time; carries the end of its log."""


class Program:
    """A running process and its descendants."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    def pids(self) -> list[int]:
        """The process and its descendants, now."""
        return tree(self.process.pid)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for `ready`; ProgramFailed when the process ends before, or after a minute."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
                raise ProgramFailed(f"{self.name} is not ready (exit code {self.process.poll()}):\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask the process to end, then kill what is left of it."""
        left = self.pids()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in left:
                _kill(pid)
            self.process.wait()


@contextmanager
def program(
    name: str, command: Sequence[str], folder: Path, cores: frozenset[int], environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run `command` (a Python module and its arguments) on `cores` while the block lasts."""
    log = folder / f"{name}.log"
    with pinned(cores), log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Program(name, process, log)
    try:
        yield running
    finally:
        running.stop()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(address: Address) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((address.host, address.port), 1).close()
    except OSError:
        return False
    return True


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return

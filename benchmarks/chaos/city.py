"""The stack under attack: one `ikm up` with the example city, in a folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.running.product import CLI
from benchmarks.running.programs import ROOT, Program, program
from shared.settings import running_stack

START_PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class City:
    """A running stack with the example city."""

    home: Path
    up: Program

    @property
    def url(self) -> str:
        """The address of its service."""
        return str(running_stack(self.home)["url"])

    @property
    def database_url(self) -> str:
        """The address of its database, for psycopg."""
        return str(running_stack(self.home)["database_url"]).replace("+psycopg", "")

    @property
    def key(self) -> str:
        """The channel key of the example."""
        return (self.home / "example.key").read_text(encoding="ascii").strip()

    def process(self, name: str) -> int | None:
        """Return the id of the process of that name; None when it is not running just now."""
        processes: Mapping[str, int] = running_stack(self.home).get("processes", {})
        return processes.get(name)

    def kill(self, name: str) -> bool:
        """SIGKILL the process of that name; False when it is not running just now."""
        pid = self.process(name)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run an `ikm` command against the stack."""
        environment = {**os.environ, "IKM_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", CLI, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@contextmanager
def running_city(folder: Path) -> Iterator[City]:
    """Run the stack while the block lasts, once its example has been replayed."""
    for name in [name for name in os.environ if name.startswith("IKM_")]:
        del os.environ[name]  # what the stack is told is told here
    folder.chmod(0o711)  # started by root, the stack is of an account that must pass
    home = folder / "home"
    command = [CLI, "up", "--home", str(home), "--port", "0", "--example", "tanjungpinang"]
    with program("up", command, folder, frozenset(os.sched_getaffinity(0))) as up:
        up.wait_until(lambda: b"contoh-kediri: IKM" in up.log.read_bytes(), START_PATIENCE_S)
        yield City(home, up)

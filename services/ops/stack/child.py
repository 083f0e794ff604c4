"""A child process of the stack: its command and log; started, asked to end, killed, awaited."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.ops.account.account import Account
from services.ops.account.running import launcher
from services.ops.stack.files import open_log


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, as whom, and how it is told to end.

    `stop_signal` asks it; `death_signal` is what the kernel sends when the supervisor dies. That is
    SIGKILL where nothing is lost by it: a worker cannot end in order while the servers that it
    talks to end too.
    """

    name: str
    command: Sequence[str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None


class Child:
    """One program, run at most once at a time."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the current or last run."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there; one that has ended takes the rest of its group with it."""
        if self._process is None or self._process.returncode is not None:
            return False
        if not _has_ended(self._process.pid):
            return True
        self._end_group(self._process)
        return False

    @property
    def returncode(self) -> int | None:
        """How the last run ended: an exit code, or minus a signal; None while it runs."""
        return None if self.running or self._process is None else self._process.returncode

    def start(self, *descriptors: int) -> None:
        """Start the process in a session of its own: a terminal's Ctrl-C reaches only us."""
        program = self.program
        with open_log(program.log) as log:
            self._process = subprocess.Popen(  # noqa: S603  (the stack's own programs)
                [
                    *launcher(os.getpid(), program.death_signal, program.account),
                    *program.command,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **program.environment},
                pass_fds=descriptors,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the main process, if it is there."""
        if self.running and self._process is not None:
            self._process.send_signal(number)

    def stop(self, patience_s: float = 15) -> None:
        """Ask the process to end; when patience does, kill it."""
        self.signal(self.program.stop_signal)
        if not self.wait(patience_s):
            self.kill()

    def kill(self) -> None:
        """End the main process at once, as a power failure would (SIGKILL)."""
        self.signal(signal.SIGKILL)
        self.wait(10)

    def wait(self, patience_s: float) -> bool:
        """Wait until the process has ended; False when it still runs after that."""
        deadline = time.monotonic() + patience_s
        while self.running:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    @staticmethod
    def _end_group(process: "subprocess.Popen[bytes]") -> None:
        # Before the process is reaped, its number cannot have become somebody else's group.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

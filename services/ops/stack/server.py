"""An embedded server on a Unix socket: prepared, started, waited for, stopped."""

import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

from services.ops.account.account import Account
from services.ops.errors import CannotStart
from services.ops.stack.child import Child, Program
from services.ops.stack.files import end_of
from services.ops.stack.folders import held, private_folder


class Server:
    """What both servers have in common: a private folder for the data, another for the socket."""

    name: ClassVar[str]
    patience_s: ClassVar[float]  # for an answer after the start

    def __init__(
        self, folder: Path, sockets: Path, log: Path, account: Account | None = None
    ) -> None:
        self.folder = folder
        self.sockets = sockets
        self.log = log
        self.account = account
        self.child = Child(self._program())

    def start(self) -> None:
        """Prepare the folder when it is new, start the server and wait until it answers."""
        self.launch()
        self.wait_ready()

    def launch(self, patience_s: float = 20) -> None:
        """Start the server without waiting until it answers.

        The server and all its processes inherit the lock of their folder, so two never work on one
        folder. What is left of an earlier one may take `patience_s` to end.
        """
        private_folder(self.sockets, self.account)
        private_folder(self.folder, self.account)
        with self._alone(patience_s) as descriptor:
            self._prepare()
            self.child.start(descriptor)

    def await_predecessor(self, patience_s: float = 30) -> None:
        """Wait until a server of an earlier start, whose supervisor was killed, has ended."""
        with self._alone(patience_s):
            pass

    def _alone(self, patience_s: float) -> AbstractContextManager[int]:
        lock = self.folder.with_name(f"{self.folder.name}.lock")
        complaint = f"{self.name} of an earlier start still runs on {self.folder}"
        return held(lock, patience_s, complaint)

    def wait_ready(self, patience_s: float | None = None) -> None:
        """Wait until the server answers; CannotStart when it ends or stays silent."""
        deadline = time.monotonic() + (patience_s or self.patience_s)
        while not self.is_ready():
            if not self.child.running or time.monotonic() >= deadline:
                raise CannotStart(f"{self.name}; {end_of(self.log)}")
            time.sleep(0.03)

    def stop(self, patience_s: float = 30) -> None:
        """Stop the server cleanly."""
        self.child.stop(patience_s)

    def kill(self) -> None:
        """End the server as a power failure would (SIGKILL)."""
        self.child.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server's main process (SIGSTOP: it hangs; SIGCONT: it goes on)."""
        self.child.signal(number)

    @property
    def url(self) -> str:
        """The address for clients."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether the server answers a query now."""
        raise NotImplementedError

    def _program(self) -> Program:
        raise NotImplementedError

    def _prepare(self) -> None:
        raise NotImplementedError

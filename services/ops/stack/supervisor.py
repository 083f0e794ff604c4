"""Keeps the processes of the stack running: starts again what ended, and stops all in order."""

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.ops.errors import CannotStart
from services.ops.stack.child import Child

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0
_SETTLED_S = 5.0  # whoever ran this long starts again with the first delay
# What the other members use: stopped after them.
SERVERS = frozenset({"postgres", "redis"})


@dataclass
class Member:
    """One process under watch. `start` starts it without waiting until it is ready."""

    name: str
    child: Child
    start: Callable[[], None]
    stop_patience_s: float
    failures: int = 0
    changed_s: float = 0.0
    start_s: float | None = None  # when it is to be started again; None while it runs

    def delay_s(self) -> float:
        """Return how long to wait before the next start, after so many failures in a row."""
        return min(_FIRST_DELAY_S * 2.0**self.failures, _LONGEST_DELAY_S)


class Supervisor:
    """The members in the order of their start.

    `say` tells a person; `changed` is called when a process is another.
    """

    def __init__(self, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.members: list[Member] = []
        self._say = say
        self._changed = changed

    def add(self, member: Member) -> None:
        """Start a member and watch it from now on."""
        self.members.append(member)
        member.start()
        member.changed_s = time.monotonic()
        self._changed()

    def check(self) -> None:
        """Look at every member once; start again the ones whose time has come."""
        now = time.monotonic()
        for member in self.members:
            if member.start_s is None:
                if not member.child.running:
                    self._note_end(member, now)
            elif now >= member.start_s:
                self._start_again(member, now)

    def stop(self) -> None:
        """Stop every member: the processes together, then the servers that they use."""
        for members in self._stages():
            for member in members:
                member.child.signal(member.child.program.stop_signal)
            deadline = time.monotonic() + max(member.stop_patience_s for member in members)
            for member in members:
                if not member.child.wait(max(0.0, deadline - time.monotonic())):
                    self._say(f"{member.name} does not stop: killed")
                    member.child.kill()

    def kill(self) -> None:
        """End every member at once. What was acknowledged is on disk all the same."""
        for member in reversed(self.members):
            member.child.kill()

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running members, by name."""
        return {
            member.name: member.child.pid
            for member in self.members
            if member.child.running and member.child.pid
        }

    def _stages(self) -> Iterable[list[Member]]:
        servers = [member for member in self.members if member.name in SERVERS]
        others = [member for member in self.members if member.name not in SERVERS]
        return [stage for stage in (others, servers) if stage]

    def _note_end(self, member: Member, now: float) -> None:
        if now - member.changed_s >= _SETTLED_S:
            member.failures = 0
        delay_s = member.delay_s()
        self._say(
            f"{member.name} ended ({how_it_ended(member.child)}); "
            f"it starts again in {delay_s:.1f} s"
        )
        member.failures += 1
        member.start_s = now + delay_s

    def _start_again(self, member: Member, now: float) -> None:
        try:
            member.start()
        except (CannotStart, OSError) as error:
            member.failures += 1
            member.start_s = now + member.delay_s()
            self._say(f"{member.name}: {error}")
        else:
            member.start_s = None
            member.changed_s = now
            self._changed()


def how_it_ended(child: Child) -> str:
    """`exit code 1`, or the name of the signal that ended it."""
    code = child.returncode
    if code is None:
        return "still runs"
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"

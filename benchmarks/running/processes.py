"""What the kernel says of processes: which cores they may use, what they used of them, how much memory they hold."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the one process that is measured, and the cores of everything else."""

    measured: frozenset[int]
    others: frozenset[int]

    @classmethod
    def plan(cls) -> "Cores":
        """The first core that we may use is measured, the rest serve; with a single core both are the same."""
        cores = sorted(os.sched_getaffinity(0))
        measured = frozenset(cores[:1])
        return cls(measured, frozenset(cores[1:]) or measured)

    def __str__(self) -> str:
        """Such as "the measured process on core 0; the rest on 1"."""
        shown = ["+".join(map(str, sorted(cores))) for cores in (self.measured, self.others)]
        return f"the measured process on core {shown[0]}; client, Redis, PostgreSQL on {shown[1]}"


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """Run this thread, and every process that it starts meanwhile, on `cores`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    return _below([pid], _children())


def _children() -> dict[int, list[int]]:
    """The children of every process that is there now; each has an entry, if only an empty one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(entry.name), [])
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    return children


def _below(roots: Iterable[int], children: Mapping[int, Sequence[int]]) -> list[int]:
    """Those of the processes that are there, and their descendants, each once."""
    found = [pid for pid in dict.fromkeys(roots) if pid in children]
    for parent in found:
        found += [child for child in children[parent] if child not in found]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Seconds of CPU, user and system, that these processes and their children that have ended have used."""
    used = 0
    for pid in pids:
        if fields := _stat(pid):
            used += sum(map(int, fields[11:15]))
    return used / _TICK


def machine_cpu_seconds() -> float:
    """Seconds of CPU that everything on this machine has used, and that were stolen from it."""
    fields = [
        int(text)
        for text in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    ]
    user, nice, system, _idle, _wait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / _TICK


ELSEWHERE = "elsewhere"


class Usage:
    """CPU use between two moments: of each named group of processes, and of whoever else is on the machine."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = {name: list(pids) for name, pids in groups.items()}
        self._since = time.perf_counter()
        self._machine = machine_cpu_seconds()
        self._own = self._read()

    def shares(self) -> dict[str, float]:
        """Cores that each group kept busy since this object was made; "elsewhere" is nobody of ours."""
        seconds = time.perf_counter() - self._since
        used = {name: value - self._own[name] for name, value in self._read().items()}
        elsewhere = machine_cpu_seconds() - self._machine - sum(used.values())
        return {
            name: round(value / seconds, 3)
            for name, value in {**used, ELSEWHERE: max(0.0, elsewhere)}.items()
        }

    def _read(self) -> dict[str, float]:
        """With the children that come and go: PostgreSQL's backends, Redis' rewriting of its file."""
        children = _children()
        whole = {name: set(_below(pids, children)) for name, pids in self._groups.items()}
        used: dict[str, float] = {}
        for name, pids in whole.items():
            # This program's tree holds all the others.
            inner = [other for other, theirs in whole.items() if other != name and theirs < pids]
            used[name] = cpu_seconds(pids.difference(*(whole[other] for other in inner)))
        return used


def memory(pid: int) -> tuple[int, int] | None:
    """Resident bytes, and those of them that belong to this process alone (RssAnon); None when it has ended."""
    try:
        lines = (
            Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        )
    except OSError:
        return None
    sizes = {name: value for name, _, value in (line.partition(":") for line in lines)}
    if "VmRSS" not in sizes:
        return None
    return int(sizes["VmRSS"].split()[0]) * 1024, int(sizes["RssAnon"].split()[0]) * 1024


def command(pid: int) -> str:
    """The command line of a process; empty when it has ended."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode(errors="replace")
            .strip()
        )
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: index 0 is the state, 1 the parent, 11 to 14 the CPU ticks."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()

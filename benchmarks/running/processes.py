"""What the kernel says of processes: their cores, the CPU they used, the memory they hold."""

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
        """Measure on the first core that we may use, serve on the rest; one core does both."""
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
    """Return a process and all its descendants."""
    return _below([pid], _children())


def _children() -> dict[int, list[int]]:
    """Return the children of every process that runs now, of some an empty list."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(entry.name), [])
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    return children


def _below(roots: Iterable[int], children: Mapping[int, Sequence[int]]) -> list[int]:
    """Return the roots that still run and their descendants, each once."""
    family = [pid for pid in dict.fromkeys(roots) if pid in children]
    for parent in family:
        family += [child for child in children[parent] if child not in family]
    return family


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU that these processes and their ended children used, user and system."""
    used = 0
    for pid in pids:
        if fields := _stat(pid):
            used += sum(map(int, fields[11:15]))
    return used / _TICK


def machine_cpu_seconds() -> float:
    """Return the CPU that everything on this machine used, or that was stolen from it."""
    fields = [
        int(text)
        for text in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    ]
    user, nice, system, _idle, _wait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / _TICK


ELSEWHERE = "elsewhere"


class Usage:
    """CPU use between two moments, of each named group of processes and of everybody else."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = {name: list(pids) for name, pids in groups.items()}
        self._since = time.perf_counter()
        self._machine = machine_cpu_seconds()
        self._own = self._read()

    def shares(self) -> dict[str, float]:
        """Return the cores that each group kept busy since then; "elsewhere" is somebody else."""
        seconds = time.perf_counter() - self._since
        used = {name: value - self._own[name] for name, value in self._read().items()}
        elsewhere = machine_cpu_seconds() - self._machine - sum(used.values())
        return {
            name: round(value / seconds, 3)
            for name, value in {**used, ELSEWHERE: max(0.0, elsewhere)}.items()
        }

    def _read(self) -> dict[str, float]:
        """Read the CPU with children that come and go, such as PostgreSQL's backends."""
        children = _children()
        whole = {name: set(_below(pids, children)) for name, pids in self._groups.items()}
        used: dict[str, float] = {}
        for name, pids in whole.items():
            # This program's tree holds all the others.
            inner = [other for other, members in whole.items() if other != name and members < pids]
            used[name] = cpu_seconds(pids.difference(*(whole[other] for other in inner)))
        return used


def memory_bytes(pid: int) -> int | None:
    """Return the memory that belongs to this process alone (RssAnon); None when it has ended."""
    try:
        lines = (
            Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        )
    except OSError:
        return None
    sizes = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return int(sizes["RssAnon"].split()[0]) * 1024 if "RssAnon" in sizes else None


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name: 1 is the parent, 11 to 14 CPU ticks."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()

"""A service under attack: its process, its memory, and what others see of it meanwhile."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
PROBER = Path(__file__).with_name("prober.py")
MEMORY_MIB = 50.0  # over idle
HEALTHZ_S = 0.25
# Attackers, prober and service share this machine's cores, perhaps with others: the limit is of a
# machine that is all the service's own, so it grows by how much slower the prober itself was.
IDLE_PROBE_S = 1.0


@dataclass
class Seen:
    """What an attack did to the others."""

    slowest_s: float = 0.0
    idle_slowest_s: float = 0.0
    slowdown: float = 1.0  # of any program on this machine meanwhile
    failures: int = 0
    probes: int = 0
    grown_mib: float = 0.0

    def assert_harmless(self) -> None:
        print(self)
        assert self.failures == 0, self
        assert self.slowest_s < HEALTHZ_S * self.slowdown + self.idle_slowest_s, self
        assert self.grown_mib < MEMORY_MIB, self


@dataclass
class Attacked:
    """A running `ikm serve all`."""

    pid: int
    port: int
    key: str
    log: Path
    client: httpx.Client = field(repr=False)

    def connect(self, timeout_s: float = 20) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def connections(self) -> int:
        """How many sockets the process holds."""
        count = 0
        for path in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed just now
                count += str(path.readlink()).startswith("socket:")
        return count

    def memory_mib(self, of: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition(f"{of}:")[2].split()[0]) / 1024

    @contextmanager
    def watched(self) -> Iterator[Seen]:
        """While others ask for /healthz: how slow was it, how much did the memory grow at most."""
        seen = Seen()
        with probing(self.port) as idle:
            time.sleep(IDLE_PROBE_S)
        seen.idle_slowest_s = max(idle.took_s)
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # forgets the highest so far
        before = self.memory_mib("VmRSS")
        with probing(self.port) as probed:
            yield seen
        seen.grown_mib = self.memory_mib("VmHWM") - before
        seen.probes = len(probed.took_s)
        seen.failures = sum(seconds < 0 for seconds in probed.took_s)
        seen.slowest_s, seen.slowdown = max(probed.took_s), probed.slowdown


@dataclass
class Probed:
    """The seconds of each answer, -1 without one; how much slower the prober was than alone."""

    took_s: list[float] = field(default_factory=list)
    slowdown: float = 1.0


@contextmanager
def probing(port: int) -> Iterator[Probed]:
    """A process that asks for /healthz; what it saw is there at the end."""
    probed = Probed()
    with subprocess.Popen(
        [sys.executable, "-I", str(PROBER), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as prober:
        assert prober.stdout is not None
        prober.stdout.readline()  # it has begun
        try:
            yield probed
        finally:
            output, _ = prober.communicate()
            vars(probed).update(json.loads(output))


def answer_of(connection: socket.socket) -> bytes:
    """Everything up to the end; empty when the connection was reset."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received

"""The embedded stack (`ikm up`) as users run it: every process, nothing pinned, its state in the run's folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from benchmarks.load.asking import ask
from benchmarks.load.closed_loop import Address, request
from benchmarks.load.sample import CHANNEL
from benchmarks.plan import Plan
from benchmarks.running.processes import pinned, tree
from benchmarks.running.product import CLI, REGISTRY, ikm
from benchmarks.running.programs import free_port, program
from shared.settings import running_stack


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running stack with the registry of the benchmarks."""

    home: Path
    address: Address
    key: str = field(repr=False)

    def processes(self) -> dict[str, list[int]]:
        """The parts of the stack by name, each with all its processes."""
        found: dict[str, int] = running_stack(self.home)["processes"]
        return {name: tree(pid) for name, pid in found.items()}

    def post(self, document: dict[str, object]) -> bytes:
        """The request that submits one document."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
        return request(
            "POST", "/v1/submissions", headers, json.dumps(document, separators=(",", ":")).encode()
        )


@contextmanager
def embedded(plan: Plan, name: str) -> Iterator[Embedded]:
    """Run the stack while the block lasts."""
    folder = plan.subfolder(name)
    home, address = folder / "home", Address("127.0.0.1", free_port())
    cores = plan.cores.measured | plan.cores.others
    with (
        pinned(cores),
        program(
            "up", [CLI, "up", "--home", str(home), "--port", str(address.port)], folder, cores
        ) as up,
    ):
        up.wait_until(lambda: _answers(address, "/healthz"))  # ready is only who has a registry
        environment = {"IKM_HOME": str(home)}
        ikm(environment, "apply", str(REGISTRY))
        up.wait_until(lambda: _answers(address, "/readyz"))
        key = ikm(environment, "key", "create", CHANNEL).splitlines()[-1]
        stack = Embedded(home, address, key)
        up.wait_until(lambda: ask(address, stack.post({})).status != HTTPStatus.UNAUTHORIZED)
        yield stack


def _answers(address: Address, path: str) -> bool:
    try:
        return ask(address, request("GET", path)).status == HTTPStatus.OK
    except OSError:
        return False

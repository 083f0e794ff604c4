"""The embedded stack (`ikm up`) as users run it: every process, nothing pinned."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from benchmarks.load.connection import Address, request
from benchmarks.load.sample import CHANNEL
from benchmarks.plan import Plan
from benchmarks.running.processes import pinned, tree
from benchmarks.running.product import CLI, REGISTRY, ikm
from benchmarks.running.programs import free_port, program
from services.ops.client import Client
from shared.settings import running_stack


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running stack with the registry of the benchmarks."""

    home: Path
    address: Address
    key: str = field(repr=False)

    def processes(self) -> dict[str, list[int]]:
        """Return the parts of the stack by name, each with all its processes."""
        processes: dict[str, int] = running_stack(self.home)["processes"]
        return {name: tree(pid) for name, pid in processes.items()}

    def post(self, document: dict[str, object]) -> bytes:
        """Return the request that submits one document."""
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
        with Client(address.url) as client:
            # ready is only who has a registry
            up.wait_until(lambda: client.get("/healthz").status == HTTPStatus.OK)
            environment = {"IKM_HOME": str(home)}
            ikm(environment, "apply", str(REGISTRY))
            up.wait_until(lambda: client.readiness().ready)
            key = ikm(environment, "key", "create", CHANNEL, "--submit", "--read").splitlines()[-1]
            client.await_key(key)
        yield Embedded(home, address, key)

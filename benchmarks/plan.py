"""How one invocation measures: how many runs, how long, on which cores, in which folder."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.running.processes import Cores


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of everything. The numbers of a `quick` run are not the product's."""

    folder: Path
    cores: Cores
    runs: int
    quick: bool

    @property
    def seconds(self) -> float:
        """How long one load lasts."""
        return 2.0 if self.quick else 6.0

    @property
    def warm_up_s(self) -> float:
        """How long the load lasts that goes before each measured one, and is not counted."""
        return 1.0 if self.quick else 2.0

    def size(self, full: int, quick: int) -> int:
        """Return `full`, or `quick` in a quick run."""
        return quick if self.quick else full

    def subfolder(self, name: str) -> Path:
        """Make a new folder of that name for one measure."""
        path = self.folder / name
        path.mkdir()
        path.chmod(0o755)  # PostgreSQL, which never runs as root, passes through it
        return path

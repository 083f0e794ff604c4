"""Running stacks for the tests of this folder, which know the project by its processes alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Up


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., Up]]:
    """Start `ikm up` on a home; all that was started is stopped at the end."""
    started: list[Up] = []

    def up(home: Path, example: str | None = "tanjungpinang") -> Up:
        started.append(Up(home, example))
        return started[-1]

    yield up
    for run in started:
        run.close()


@pytest.fixture(scope="session")
def city(start: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Up:
    """A running example city whose replay is over; its home's path has a space."""
    run = start(tmp_path_factory.mktemp("a city") / "home")
    run.wait_for("contoh-kediri: IKM")
    return run

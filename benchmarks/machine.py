"""The machine and the conditions of a run, for the result file."""

import os
import platform
import subprocess
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.running.processes import Cores
from services.ops.stack.binaries import postgres_binaries, redis_binary

PACKAGES = (
    "celery", "fastapi", "hiredis", "httptools", "msgspec", "numpy", "pandas",
    "psycopg", "pydantic", "redis", "sqlalchemy", "uvicorn", "uvloop",
)  # fmt: skip


def describe(folder: Path, cores: Cores) -> dict[str, Any]:
    """Hardware, kernel, versions, the disk below `folder`, and who runs where."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "postgresql": _version(postgres_binaries() / "postgres"),
        "redis": _version(redis_binary()),
        "file_system": _file_system(folder),
        "fsync_ms": round(fsync_seconds(folder) * 1000, 3),
        "pinning": str(cores),
        "load_average_at_start": os.getloadavg()[0],
    }


def fsync_seconds(folder: Path, writes: int = 200) -> float:
    """The mean time of appending 4 KiB to a file in `folder` and forcing it to disk."""
    with tempfile.TemporaryFile(dir=folder) as file:
        started = time.perf_counter()
        for _ in range(writes):
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
        return (time.perf_counter() - started) / writes


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(program: Path) -> str:
    return subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _file_system(folder: Path) -> str:
    """The type of the file system that holds `folder`: a tmpfs would make every fsync free."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, point, file_system, *_ = line.split()
        if len(point) > len(best) and folder.resolve().is_relative_to(point):
            best, kind = point, file_system
    return kind

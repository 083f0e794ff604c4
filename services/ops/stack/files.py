"""Files of a home: for us alone, and never by a link, wherever it may lead."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o600


def private_file(path: Path, text: str) -> Path:
    """Write a file that only we may read, in the place of what was there; return its path."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, _NEW, _PRIVATE), "w", encoding="utf-8") as file:
        file.write(text)
    return fresh.replace(path)


def open_log(path: Path) -> BinaryIO:
    """Open a log at its end; whatever it was, it is for us alone from now on."""
    descriptor = os.open(path, _LOG, _PRIVATE)
    os.fchmod(descriptor, _PRIVATE)
    return os.fdopen(descriptor, "ab")


def begin_anew(log: Path, limit_bytes: int) -> None:
    """Move a log that grew beyond the limit aside, one generation.

    The processes that write it go on at its new beginning.
    """
    with os.fdopen(os.open(log, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b") as file:
        if os.fstat(file.fileno()).st_size <= limit_bytes:
            return
        try:
            _keep(file, log.with_suffix(".log.1"))
        finally:  # on a full disk too: there the log is worth less than the space
            file.truncate(0)


def _keep(file: BinaryIO, path: Path) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, _NEW, _PRIVATE), "wb") as copy:
        shutil.copyfileobj(file, copy)


def end_of(log: Path, lines: int = 12) -> str:
    """Return the end of a log below its name, for a message why something did not start."""
    try:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    except OSError as error:
        return f"no log: {error}"
    return "\n".join([f"the end of {log}:", *tail])

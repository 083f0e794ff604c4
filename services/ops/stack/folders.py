"""The folders, locks and logs of a stack: private, short enough for sockets, one server each."""

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.ops.account.account import Account, give
from services.ops.errors import CannotStart, InUse
from shared.settings import STACK_FILE, running_stack


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Hold the home: a second stack on it ends with a message that names the first."""
    _make_own(home)
    stack = running_stack(home)
    other = (
        f"process {stack['pid']}, {stack['url']}"
        if {"pid", "url"} <= stack.keys()
        else "it is just starting"
    )
    with held(home / "up.lock", 0, f"another `ikm up` works in {home} ({other})"):
        (home / STACK_FILE).unlink(missing_ok=True)  # of a stack that was killed
        yield


def _make_own(home: Path) -> None:
    """Make the home a folder of ours that holds no link; refuse what somebody else prepared."""
    private_folder(home)
    with os.scandir(home) as entries:
        for entry in entries:
            if entry.is_symlink():
                raise CannotStart(f"{entry.path} is a link, and a home holds none: remove it")


def runtime_folder(home: Path) -> Path:
    """Return a short folder for the sockets of `home`: their paths are limited to 107 bytes."""
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    name = f"ikm-{os.geteuid()}-{digest}"
    return Path("/tmp") / name  # noqa: S108  (private_folder checks whose it is)


def private_folder(path: Path, account: Account | None = None) -> Path:
    """Make `path` a folder that only the servers' user may enter; refuse somebody else's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    owners = {os.geteuid(), account.uid if account else os.geteuid()}
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
        raise CannotStart(
            f"{path} belongs to another user (uid {status.st_uid}): "
            "remove it, or use another IKM_HOME"
        )
    path.chmod(0o700)
    give(path, account)
    return path


@contextmanager
def held(path: Path, timeout_s: float, complaint: str) -> Iterator[int]:
    """Hold a lock; yields its descriptor, which keeps holding it in every process that inherits it.

    A server that inherits it proves by that alone that it still runs, whatever became of the one
    who started it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, timeout_s, complaint)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, timeout_s: float, complaint: str) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise InUse(complaint) from None
            time.sleep(0.05)
        else:
            return

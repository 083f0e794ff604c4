"""The user an embedded server runs as: PostgreSQL refuses root, so root hands over its servers."""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.ops.errors import CannotStart

_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become; with the capability it passes folders closed to it, such as /root."""

    uid: int
    gid: int
    capability: int = -1


def server_account(home: Path, reads: Iterable[Path]) -> Account | None:
    """Return the user for the servers of `home`, who can reach it and what they read.

    None means the user that we are.

    A home that another user's stack created stays that user's: root then runs its servers as its
    owner.
    """
    if os.geteuid() != 0:
        return None
    owner = home.stat() if home.exists() else None
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        uid, gid = _nobody()
    closed = [
        folder for path in (home, *reads) if (folder := _closed_folder(path, uid)) is not None
    ]
    return Account(uid, gid, _passing_capability(closed[0], uid) if closed else -1)


def give(path: Path, account: Account | None) -> None:
    """Make `path` (a file or folder) the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY, _NOBODY
    return entry.pw_uid, entry.pw_gid


def _closed_folder(path: Path, uid: int) -> Path | None:
    """Return the first folder on the way to `path` that the user may not pass, if any.

    Groups and ACLs are not asked.
    """
    for folder in reversed(path.resolve().parents):
        if not folder.exists():
            return None
        status = folder.stat()
        bit = stat.S_IXUSR if status.st_uid == uid else stat.S_IXOTH
        if not status.st_mode & bit:
            return folder
    return None


def _passing_capability(folder: Path, uid: int) -> int:
    """Return the least capability we hold that passes closed folders (in a container: one)."""
    held = _effective_capabilities()
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if held >> capability & 1:
            return capability
    raise CannotStart(
        f"PostgreSQL does not run as root, and user {uid}, who would run it, may not enter "
        f"{folder}: start as an ordinary user, or open the folder (chmod o+x {folder}), "
        "or put IKM_HOME elsewhere"
    )


def _effective_capabilities() -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0

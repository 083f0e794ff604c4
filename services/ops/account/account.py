"""The unprivileged account that everything runs as when root starts it."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.ops.errors import CannotStart

NAME = "ikm"
_PLACES = os.pathsep.join(("/usr/sbin", "/sbin", "/usr/bin", "/bin"))  # PATH may lack them
# That of shadow-utils, and that of BusyBox.
_MAKERS = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
     "--shell", "/usr/sbin/nologin", NAME),
    ("adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", NAME),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become."""

    uid: int
    gid: int
    name: str


def is_root() -> bool:
    """Whether we are root."""
    return os.geteuid() == 0


def dedicated_account() -> Account | None:
    """Return the account `ikm`, made when it is missing. None: we are an ordinary user already."""
    if not is_root():
        return None
    account = _named(NAME) or _made()
    if account.uid == 0:
        raise CannotStart(f"the account {NAME} is root itself: give it another number")
    return account


def owner_account(uid: int, path: Path) -> Account:
    """Return the account of a user that owns `path`."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise CannotStart(
            f"{path} belongs to user {uid}, whom this machine does not know: "
            f"chown it to {NAME}, or use another IKM_HOME"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def own_name() -> str:
    """Return the name of the user that we are."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise CannotStart(
            f"user {os.geteuid()} has no name on this machine, and PostgreSQL needs one: "
            f"give it a line in /etc/passwd (useradd --uid {os.geteuid()} {NAME})"
        ) from None


def give(path: Path, account: Account | None) -> None:
    """Make `path` (a file or folder) the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _made() -> Account:
    complaint = "neither useradd nor adduser is here"
    for command in _MAKERS:
        program = shutil.which(command[0], path=_PLACES)
        if program is None:
            continue
        done = subprocess.run(  # noqa: S603 (the system's own program)
            [program, *command[1:]], capture_output=True, text=True, check=False
        )
        account = _named(NAME)  # another `ikm up` may have made it in the same moment
        if account is not None:
            return account
        complaint = (done.stderr or done.stdout).strip()
    raise CannotStart(
        f"root runs everything as the account {NAME}, which cannot be made ({complaint}): "
        f"make it (useradd --system {NAME}), or start as an ordinary user"
    )

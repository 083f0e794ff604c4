"""A home for the account: handed to it as a whole, or another in its place when it is out of reach.

Everything is done by descriptors, and no link is followed: who could write into the home before
gains nothing by what was put there.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from services.ops.account.account import Account, dedicated_account, owner_account
from services.ops.account.running import may_enter
from services.ops.account.storeroom import room
from services.ops.errors import CannotStart
from shared.settings import STACK_FILE

_NAMES = {"postgres", "redis", "logs", "lost+found", STACK_FILE}
_ENDINGS = (".lock", ".key", ".new")
_BEGINNINGS = ("alive-", "beat-schedule")  # the latter: of earlier versions, nobody reads it
_NOBODY = 65534  # ran the servers of root in earlier versions


def account_of(home: Path) -> Account:
    """Return who runs what lies in `home`, for root: its owner, or the dedicated account."""
    path = _real(home)
    if path.exists() and (uid := path.stat().st_uid) != 0:
        return owner_account(uid, path)
    account = dedicated_account()
    if account is None:
        raise CannotStart("only root hands a home over")
    return account


def handed_over(home: Path, account: Account, say: Callable[[str], None]) -> Path:
    """Return a home that is the account's and that it can reach: `home`, or one that it links to.

    A home that belongs to another user than root is that user's already: nothing in it is touched.
    """
    path = _real(home)
    is_new = not path.exists()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_new or path.stat().st_uid == 0:
        _check_names(path)
        if not may_enter(account, path.parent):
            path = _in_the_storeroom(path, say)
        _give_all(path, account)
    if not may_enter(account, path):
        raise CannotStart(
            f"{path} belongs to {account.name}, who may not enter {path.parent}: "
            "use another IKM_HOME"
        )
    return path


def _real(home: Path) -> Path:
    """Return the folder itself. A link to it is followed when only root can have made it."""
    path = home.absolute()
    if path.is_symlink() and path.lstat().st_uid != 0:
        raise CannotStart(
            f"{path} is a link that root did not make: set IKM_HOME to where it leads"
        )
    return path.resolve()


def _check_names(path: Path) -> None:
    """Refuse a folder that holds anything else: IKM_HOME=/root must not give /root away."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise CannotStart(f"{path} is no folder: use another IKM_HOME")
    for name in sorted(entry.name for entry in path.iterdir()):
        if not (name in _NAMES or name.endswith(_ENDINGS) or name.startswith(_BEGINNINGS)):
            raise CannotStart(
                f"{path} holds {name}, which is nothing of a home of IKM: use an empty folder"
            )


def _in_the_storeroom(home: Path, say: Callable[[str], None]) -> Path:
    """Make a folder that the account can reach, move what the home holds, leave a link to it."""
    if os.path.ismount(home):
        raise CannotStart(f"the account cannot reach {home}: mount it elsewhere, such as /srv/ikm")
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=room("homes")))
    for entry in list(home.iterdir()):
        shutil.move(entry, folder / entry.name)
    home.rmdir()
    home.symlink_to(folder)
    say(f"  data: {folder} ({home} → {folder})")
    return folder


def _give_all(home: Path, account: Account) -> None:
    """Hand the home and all in it over, unless something in it is a third user's."""
    fair_owners = {0, _NOBODY, account.uid}
    for path, descriptor in _descriptors(home):
        status = os.fstat(descriptor)
        is_linked = stat.S_ISREG(status.st_mode) and status.st_nlink > 1
        if status.st_uid not in fair_owners or is_linked:
            raise CannotStart(
                f"{path} belongs to user {status.st_uid}, or has a second name elsewhere: "
                "remove it, or use another IKM_HOME"
            )
        os.fchown(descriptor, account.uid, account.gid)
        # Nothing in a home is for others, whatever an earlier version left.
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & 0o700)


def _descriptors(home: Path) -> Iterator[tuple[Path, int]]:
    """Open the home and each file and folder in it, none by a link; each is open for its turn."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for folder, folders, files, descriptor in os.fwalk(home, follow_symlinks=False):
        for name in [*files, *folders]:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                raise CannotStart(f"{Path(folder, name)} is a link: remove it")
            if not stat.S_ISREG(status.st_mode):
                continue  # a folder has its turn; a socket or pipe is of no use to anybody
            opened = os.open(name, flags, dir_fd=descriptor)
            try:
                yield Path(folder, name), opened
            finally:
                os.close(opened)
        yield Path(folder), descriptor

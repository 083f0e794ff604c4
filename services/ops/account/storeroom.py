"""The folder in which root keeps for the account what it cannot reach where it lies."""

import os
import stat
from pathlib import Path

from services.ops.errors import CannotStart

STOREROOM = Path("/var/lib/ikm-root")


def room(name: str) -> Path:
    """Return a folder of the storeroom, which only root may change and everybody may pass."""
    for folder in (STOREROOM, STOREROOM / name):
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise CannotStart(f"{folder} is not a folder of root: remove it")
            folder.chmod(0o755)
        except OSError as error:
            raise CannotStart(
                f"the account cannot reach the folders of root, and {folder} cannot be made "
                f"({error.strerror}): start as an ordinary user, or put the program and IKM_HOME "
                "where everybody may enter, such as /srv"
            ) from None
    return STOREROOM / name

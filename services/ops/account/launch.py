"""Becomes a program: gives up root when told to, and every way back; dies with its parent.

Run by its path under ``python -I -S``: it imports the standard library only, costs a few
milliseconds, and does between fork and exec what a ``preexec_fn`` cannot do safely in a process
that has threads.

``launch.py PARENT SIGNAL UID GID PROGRAM ARGUMENT…`` with the program's whole path; UID is -1 for
"stay who you are", SIGNAL is 0 for "outlive the parent".
"""

import ctypes
import errno
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4


def _control(libc: ctypes.CDLL, what: str, *arguments: int, unknown_is_fine: bool = False) -> None:
    """Call prctl; raise what the kernel says, unless it only does not know such a thing."""
    if libc.prctl(*arguments, *[0] * (5 - len(arguments))) != 0:
        number = ctypes.get_errno()
        if not (unknown_is_fine and number == errno.EINVAL):
            raise OSError(number, f"{what}: {os.strerror(number)}")


def _become(uid: int, gid: int) -> None:
    """Change to the user for good. The kernel takes every capability with that."""
    try:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except PermissionError:
        sys.exit(
            "ikm: root may not become another user here (capabilities SETUID and SETGID): "
            "start as an ordinary user"
        )


def main(arguments: list[str]) -> None:
    """Prepare this process as the arguments say, then become the command."""
    parent, death_signal, uid, gid = (int(text) for text in arguments[:4])
    command = arguments[4:]
    if uid >= 0:
        _become(uid, gid)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # No file's set-user-ID bit and no capability that somebody left us leads back to more.
        clear = (_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        _control(libc, "prctl(PR_CAP_AMBIENT)", *clear, unknown_is_fine=True)
        _control(libc, "prctl(PR_SET_NO_NEW_PRIVS)", _PR_SET_NO_NEW_PRIVS, 1)
        # After the change of user: the kernel forgets the death signal when the credentials change.
        _control(libc, "prctl(PR_SET_PDEATHSIG)", _PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            sys.exit("the parent is gone")
    # Not execvp: it would import, and Python itself may be out of the user's reach by now.
    os.execv(command[0], command)  # noqa: S606  (becoming the command is this module's job)


if __name__ == "__main__":
    main(sys.argv[1:])

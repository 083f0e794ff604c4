"""Becomes one child of the stack: gives up root when told to, dies with its parent.

Run by its path under ``python -I -S``: it imports the standard library only, costs a few
milliseconds, and does between fork and exec what a ``preexec_fn`` cannot do safely in a process
that has threads.

``launch.py PARENT SIGNAL UID GID CAPABILITY COMMAND…``; UID and CAPABILITY are -1 for "leave as it
is".
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySet(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _become(libc: ctypes.CDLL, uid: int, gid: int, capability: int) -> None:
    """Change to the user, keeping at most the one capability that lets it reach its files."""
    if capability >= 0:
        _check(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability >= 0:
        mask = 1 << capability
        header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
        sets = (_CapabilitySet * 2)(_CapabilitySet(mask, mask, mask), _CapabilitySet(0, 0, 0))
        _check(libc.capset(ctypes.byref(header), ctypes.byref(sets)), "capset")
        _check(
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0),
            "prctl(PR_CAP_AMBIENT_RAISE)",
        )


def main(arguments: list[str]) -> None:
    """Prepare this process as the arguments say, then become the command."""
    parent, death_signal, uid, gid, capability = (int(text) for text in arguments[:5])
    command = arguments[5:]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid >= 0:
        _become(libc, uid, gid, capability)
    if sys.platform == "linux":
        # After the change of user: the kernel forgets the death signal when the credentials change.
        _check(libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:
            sys.exit("the parent is gone")
    os.execvp(command[0], command)  # noqa: S606  (becoming the command is this module's job)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Runs programs as an account, by way of launch.py."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.ops.account.account import Account

_LAUNCH = Path(__file__).with_name("launch.py")
_TEST = shutil.which("test") or "/usr/bin/test"
_PATIENCE_S = 60


def launcher(parent: int, death_signal: int, account: Account | None) -> list[str]:
    """Return what to put before a command that runs as the account (None: as we are)."""
    uid, gid = (-1, -1) if account is None else (account.uid, account.gid)
    numbers = map(str, (parent, death_signal, uid, gid))
    return [sys.executable, "-I", "-S", str(_LAUNCH), *numbers]


def succeeds(
    account: Account, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> bool:
    """Whether a command of the account's ends with exit code 0: the only sure way to ask."""
    done = subprocess.run(  # noqa: S603  (our own questions)
        [*launcher(os.getpid(), 9, account), *command],
        env={**os.environ, **(environment or {})},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_PATIENCE_S,
    )
    return done.returncode == 0


def may_enter(account: Account, folder: Path) -> bool:
    """Whether the account may pass a folder and all above it."""
    return succeeds(account, [_TEST, "-x", str(folder)])

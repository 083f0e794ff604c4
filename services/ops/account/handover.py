"""Root's part of `ikm up`: it hands everything to an account and becomes it, before all else.

What is run then is the `ikm up` of an ordinary user, under the same process number.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from services.ops.account.home import account_of, handed_over
from services.ops.account.programs import programs_for
from services.ops.account.running import launcher, may_enter
from services.ops.errors import CannotStart

_FIRST_FREE_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_FIRST_FREE_PORT_WITHOUT_PROC = 1024
_STANDARD_ERROR = 2


def needs_root(port: int) -> bool:
    """Whether only root may listen on this port."""
    try:
        first = int(_FIRST_FREE_PORT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        first = _FIRST_FREE_PORT_WITHOUT_PROC
    return 0 < port < first


def become_account(
    home: Path,
    example: Path | None,
    arguments: Sequence[str],
    descriptors: Sequence[int],
    say: Callable[[str], None],
) -> NoReturn:
    """Become `ikm ARGUMENTS` of the account of `home`, which keeps only these descriptors."""
    account = account_of(home)
    if not may_enter(account, Path("/")):  # asked first: everything later would look out of reach
        raise CannotStart(
            f"root may not become {account.name} here (capabilities SETUID and SETGID): "
            "start as an ordinary user"
        )
    say(f"root → akun / account {account.name} ({account.uid})")
    folder = handed_over(home, account, say)
    programs = programs_for(account, example, say)
    if not may_enter(account, Path.cwd()):
        os.chdir(folder)
    environment = {
        **os.environ,
        **programs.environment,
        "IKM_HOME": str(folder),
        # libpq and others look there for files of their own, and stop at one that is closed.
        "HOME": str(folder),
        "USER": account.name,
        "LOGNAME": account.name,
    }
    command = [str(programs.python), "-m", "services.ops.cli", *arguments]
    _keep_only(descriptors)
    sys.stdout.flush()
    sys.stderr.flush()
    before = launcher(os.getppid(), 0, account)
    os.execve(before[0], [*before, *command], environment)  # noqa: S606 (that is the hand-over)


def _keep_only(descriptors: Sequence[int]) -> None:
    """Let the account inherit nothing that root opened but what it is meant to."""
    for number in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        if number > _STANDARD_ERROR:
            with suppress(OSError):  # that of the listing itself is closed by now
                os.set_inheritable(number, number in descriptors)

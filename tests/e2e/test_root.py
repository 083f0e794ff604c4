"""`ikm up` as root leaves nothing of root running, wherever it lies, whatever is in its home."""

import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.running import IKM, REPOSITORY, Up, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("as_root"),
]

# Whoever loads it as a pickle runs the command.
PICKLE = b"cos\nsystem\n(S'touch %s'\ntR."
OWN_FILES = {"stack.json", "up.lock", "postgres.lock", "redis.lock", "example.key"}


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder below /root, which nobody else enters."""
    with tempfile.TemporaryDirectory(prefix="ikm-closed-", dir="/root") as folder:
        yield Path(folder)
        for link in Path(folder).iterdir():  # its data is elsewhere
            shutil.rmtree(link.resolve(), ignore_errors=True)


def users_of(folder: Path) -> dict[str, int]:
    """Who runs what works in this folder, by command line."""
    users = {}
    mark = str(folder.resolve()).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if mark in command or b"IKM_HOME=" + mark in (process / "environ").read_bytes():
                users[command.replace(b"\0", b" ").decode()] = process.stat().st_uid
        except OSError:  # it has just ended
            continue
    return users


def refused(home: Path, *before: str) -> str:
    """What `ikm up` says when it does not start."""
    command = [*before, *IKM, "up", "--home", str(home), "--port", "0"]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_below_root_everything_is_of_the_account_and_what_was_put_there_does_nothing(
    closed: Path, start: Callable[..., Up]
) -> None:
    home, marker = closed / "home", closed.parent / f"{closed.name}.marker"
    home.mkdir(0o700)
    for name in ("beat-schedule", "beat-schedule.db", "beat-schedule.dat"):
        (home / name).write_bytes(PICKLE % bytes(marker))
    run = start(home)
    run.wait_for("Ctrl-C", 240)
    account = pwd.getpwnam("ikm").pw_uid
    users = users_of(home)
    assert len(users) > 5
    assert set(users.values()) == {account}
    assert run.process.pid == run.state["pid"]  # what was started is what runs, as somebody else
    assert Path(f"/proc/{run.process.pid}").stat().st_uid == account

    assert home.is_symlink()
    assert run.wait_for("data:").endswith(f"({home} → {home.resolve()})")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert modes.keys() >= OWN_FILES
    assert {mode for mode in modes.values() if mode & 0o077} == set()
    assert stat.S_IMODE((home / "logs" / "web.log").stat().st_mode) == 0o600
    eventually((home / "alive-beat").exists)

    environment = {**os.environ, "IKM_HOME": str(home)}
    for command in (["status"], ["verify"], ["key", "list"]):
        done = subprocess.run(
            [*IKM, *command],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert run.interrupt() == 0, run.output
    assert not marker.exists()
    assert users_of(home) == {}


def test_a_home_that_another_user_prepared_overwrites_nothing_of_root(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ikm-open-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        victim, home = tmp_path / "victim", Path(folder) / "home"
        victim.write_text("root's")
        home.mkdir()
        os.chown(home, 1, 1)
        for name in ("up.lock", "stack.json", "example.key", "beat-schedule", "logs"):
            (home / name).symlink_to(victim)
            os.chown(home / name, 1, 1, follow_symlinks=False)
        assert "is a link" in refused(home)
        assert victim.read_text() == "root's"


def test_root_that_may_become_nobody_says_so_and_moves_nothing(closed: Path) -> None:
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    powerless = (setpriv, "--bounding-set", "-setuid,-setgid", "--inh-caps", "-setuid,-setgid")
    assert "start as an ordinary user" in refused(closed / "home", *powerless)
    assert not (closed / "home").exists()


def test_a_folder_that_is_no_home_is_not_given_away(tmp_path: Path) -> None:
    (tmp_path / "id_ed25519").write_text("root's")
    assert "use an empty folder" in refused(tmp_path)
    assert (tmp_path / "id_ed25519").stat().st_uid == 0


def test_the_roles_of_the_stack_are_no_superusers(city: Up) -> None:
    addresses = json.loads((city.home / "stack.json").read_text())
    users = [
        addresses[name].partition("//")[2].partition("@")[0]
        for name in ("database_url", "read_database_url", "migrate_database_url")
    ]
    assert users == ["ikm_work", "ikm_read", "ikm_migrate"]

"""An account runs our programs wherever they lie, and nothing of root comes with them."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ops.account import programs, storeroom
from services.ops.account.account import Account, dedicated_account
from services.ops.account.mirror import mirror
from services.ops.account.programs import programs_for, reachable
from services.ops.account.running import launcher, may_enter
from services.ops.errors import CannotStart

_WHERE = "import services; print(services.__file__)"
STATUS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs")


@pytest.fixture
def account(as_root: None) -> Account:
    account = dedicated_account()
    assert account is not None
    return account


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may enter, with a storeroom of the test's own."""
    with tempfile.TemporaryDirectory(prefix="ikm-own-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(storeroom, "STOREROOM", Path(folder) / "storeroom")
        yield Path(folder)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Our code in a folder that only root may enter."""
    with tempfile.TemporaryDirectory(prefix="ikm-closed-", dir="/tmp") as folder:
        code = Path(folder) / "code"
        code.mkdir()
        for package in ("services", "shared"):
            mirror(programs.CODE / package, code / package)
        monkeypatch.setattr(programs, "CODE", code)
        yield code


def status_of(account: Account | None) -> dict[str, str]:
    command = [*launcher(os.getpid(), 9, account), "/bin/cat", "/proc/self/status"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = dict(line.split(":", 1) for line in done.stdout.splitlines())
    return {name: lines[name].strip() for name in STATUS}


def test_a_child_of_root_keeps_nothing_of_root(account: Account) -> None:
    status = status_of(account)
    assert set(status["Uid"].split()) == {str(account.uid)}
    assert set(status["Gid"].split()) == {str(account.gid)}
    assert not status["Groups"]
    assert {status[name] for name in STATUS if name.startswith("Cap")} == {"0" * 16}


def test_a_child_can_gain_nothing() -> None:
    status = status_of(None)
    assert (status["CapAmb"], status["NoNewPrivs"]) == ("0" * 16, "1")


def test_an_account_is_asked_what_it_may_enter(place: Path, account: Account) -> None:
    (place / "closed" / "below").mkdir(parents=True)
    (place / "closed").chmod(0o700)
    assert may_enter(account, place)
    assert not may_enter(account, place / "closed" / "below")
    assert not may_enter(account, place / "absent")


def test_a_mirror_follows_its_source(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "package" / "__pycache__").mkdir(parents=True)
    (source / "package" / "module.py").write_text("1")
    (source / "left-out").mkdir()
    (source / "back").symlink_to(source)
    (source / "link.py").symlink_to("package/module.py")
    mirror(source, target, {"left-out"})
    assert sorted(path.name for path in target.iterdir()) == ["link.py", "package"]
    assert not (target / "link.py").is_symlink()
    (source / "package" / "module.py").unlink()
    (source / "package" / "other.py").write_text("2")
    (source / "link.py").unlink()
    mirror(source, target)
    assert sorted(path.name for path in target.iterdir()) == ["left-out", "package"]
    assert [path.name for path in (target / "package").glob("*.py")] == ["other.py"]


def test_a_closed_file_is_copied_and_an_open_one_has_a_second_name(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name, mode in (("open.py", 0o644), ("closed.py", 0o600), ("program", 0o700)):
        (source / name).write_text(name)
        (source / name).chmod(mode)
    for _ in range(2):
        mirror(source, target)
        modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in target.iterdir()}
        assert modes == {"open.py": "0o644", "closed.py": "0o644", "program": "0o755"}
    assert (target / "open.py").samefile(source / "open.py")
    assert oct(stat.S_IMODE((source / "closed.py").stat().st_mode)) == "0o600"


def test_programs_within_reach_are_run_where_they_lie(place: Path, account: Account) -> None:
    assert reachable(place, account) == place
    assert reachable(place / "absent", None) == place / "absent"


def test_code_in_a_closed_folder_is_run_from_a_copy_that_only_root_may_change(
    closed: Path, account: Account
) -> None:
    said: list[str] = []
    ours = programs_for(account, closed / "shared" / "domain", said.append)
    assert ours.suit(account)
    copy = Path(ours.environment["PYTHONPATH"].partition(":")[0])
    assert copy.is_relative_to(storeroom.STOREROOM)
    assert str(storeroom.STOREROOM) in said[0]
    command = [*launcher(os.getpid(), 9, account), str(ours.python), "-c", _WHERE]
    environment = {**os.environ, **ours.environment}
    done = subprocess.run(command, capture_output=True, check=True, env=environment, cwd="/")
    assert Path(done.stdout.decode().strip()).is_relative_to(copy)
    copies = [copy, *copy.rglob("*")]
    assert len(copies) > 200
    assert copy / "examples" / "domain" / "ikm.py" in copies
    assert {path.lstat().st_uid for path in copies} == {0}
    assert not [path for path in copies if path.lstat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
    shutil.rmtree(copy)


def test_a_storeroom_that_another_user_made_is_refused(place: Path, account: Account) -> None:
    storeroom.STOREROOM.mkdir()
    os.chown(storeroom.STOREROOM, account.uid, account.gid)
    with pytest.raises(CannotStart, match="is not a folder of root"):
        storeroom.room("programs")

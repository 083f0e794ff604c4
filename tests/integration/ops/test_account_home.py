"""Root hands a home over as a whole or refuses it: what lies in it gains nothing by that."""

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ops.account import storeroom
from services.ops.account.account import Account, dedicated_account, owner_account
from services.ops.account.home import account_of, handed_over
from services.ops.errors import CannotStart

pytestmark = pytest.mark.usefixtures("as_root")

FOREIGN = 1  # `daemon`, which every machine has


@pytest.fixture
def account() -> Account:
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


def silent(_: str) -> None:
    """Say nothing."""


def facts(path: Path) -> tuple[int, str]:
    status = path.lstat()
    return status.st_uid, oct(stat.S_IMODE(status.st_mode))


def test_everything_runs_as_an_account_that_is_neither_root_nor_nobody(account: Account) -> None:
    assert account.name == "ikm"
    assert account.uid not in {0, 65534}


def test_a_new_home_is_the_accounts(place: Path, account: Account) -> None:
    home = place / "a" / "home"
    assert account_of(home) == account
    assert handed_over(home, account, silent) == home
    assert facts(home) == (account.uid, "0o700")


def test_a_home_that_root_closed_is_handed_over_with_all_that_is_in_it(
    place: Path, account: Account
) -> None:
    home = place / "home"
    (home / "postgres" / "base").mkdir(parents=True)
    (home / "postgres" / "base" / "1").touch()
    os.chown(home / "postgres" / "base" / "1", 65534, 65534)  # as earlier versions ran servers
    (home / "logs").mkdir()
    (home / "logs" / "web.log").touch(0o644)
    home.chmod(0o700)
    assert handed_over(home, account, silent) == home
    assert {path.lstat().st_uid for path in [home, *home.rglob("*")]} == {account.uid}
    assert facts(home / "logs" / "web.log") == (account.uid, "0o600")


@pytest.mark.parametrize("is_new", [True, False])
def test_out_of_reach_it_becomes_a_link_to_one_that_can_be_reached(
    place: Path, account: Account, is_new: bool
) -> None:
    closed = place / "closed"
    closed.mkdir(0o700)
    home = closed / "home"
    if not is_new:
        (home / "redis").mkdir(parents=True)
        (home / "redis" / "appendonly.aof").write_text("kept")
    said: list[str] = []
    folder = handed_over(home, account, said.append)
    assert home.is_symlink()
    assert home.resolve() == folder
    assert folder.is_relative_to(storeroom.STOREROOM)
    assert facts(folder) == (account.uid, "0o700")
    assert re.search(f"{re.escape(str(folder))}.*{re.escape(str(home))}", said[0])
    if not is_new:
        assert (home / "redis" / "appendonly.aof").read_text() == "kept"
    assert account_of(home) == account  # the next start
    assert handed_over(home, account, silent) == folder


def test_a_home_of_another_user_is_run_by_that_user_and_not_touched(place: Path) -> None:
    home = place / "home"
    home.mkdir(0o750)
    (home / "beat-schedule").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    (home / "logs").symlink_to("/etc")
    for path in (home, home / "beat-schedule"):
        os.chown(path, FOREIGN, FOREIGN)
    before = facts(home)
    account = account_of(home)
    assert account == owner_account(FOREIGN, home)
    assert handed_over(home, account, silent) == home
    assert facts(home) == before
    assert (home / "logs").lstat().st_uid == 0


def test_a_home_of_nobody_on_this_machine_is_refused(place: Path) -> None:
    home = place / "home"
    home.mkdir()
    os.chown(home, 4_000_001, 4_000_001)
    with pytest.raises(CannotStart, match="belongs to user 4000001"):
        account_of(home)


def test_a_folder_that_holds_anything_else_is_refused(place: Path, account: Account) -> None:
    (place / "home").mkdir()
    (place / "home" / ".ssh").mkdir()
    with pytest.raises(CannotStart, match=r"\.ssh, which is nothing of a home"):
        handed_over(place / "home", account, silent)
    assert facts(place / "home" / ".ssh")[0] == 0


def test_a_link_that_another_user_made_is_not_followed(place: Path) -> None:
    (place / "victim").mkdir()
    (place / "home").symlink_to(place / "victim")
    os.chown(place / "home", FOREIGN, FOREIGN, follow_symlinks=False)
    with pytest.raises(CannotStart, match="is a link that root did not make"):
        account_of(place / "home")


@pytest.mark.parametrize("name", ["up.lock", "stack.json", "logs", "postgres/base", "example.key"])
def test_a_link_in_the_home_gives_nothing_away(place: Path, account: Account, name: str) -> None:
    victim = place / "victim"
    victim.mkdir()
    (victim / "file").write_text("root's")
    link = place / "home" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(victim if "." not in name else victim / "file")
    with pytest.raises(CannotStart, match="is a link"):
        handed_over(place / "home", account, silent)
    assert facts(victim)[0] == facts(victim / "file")[0] == 0


def test_a_second_name_of_a_file_of_root_gives_nothing_away(place: Path, account: Account) -> None:
    victim = place / "victim"
    victim.write_text("root's")
    (place / "home" / "redis").mkdir(parents=True)
    os.link(victim, place / "home" / "redis" / "appendonly.aof")
    with pytest.raises(CannotStart, match="second name elsewhere"):
        handed_over(place / "home", account, silent)
    assert facts(victim)[0] == 0


def test_what_a_third_user_put_there_is_refused(place: Path, account: Account) -> None:
    (place / "home" / "redis").mkdir(parents=True)
    os.chown(place / "home" / "redis", FOREIGN, FOREIGN)
    with pytest.raises(CannotStart, match="belongs to user 1"):
        handed_over(place / "home", account, silent)

"""PostgreSQL refuses root: root's servers run as a user who may pass the closed folders he must."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ops.stack.account import Account, server_account
from services.ops.stack.servers import Postgres, account_for

pytestmark = pytest.mark.usefixtures("as_root")

ORDINARY = 1000


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that only root may enter, as /root is."""
    with tempfile.TemporaryDirectory(
        prefix="ikm-closed-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o700)
        yield Path(folder)


def uid_of(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def test_in_an_open_folder_no_capability_is_kept(own_folder: Path) -> None:
    own_folder.chmod(0o755)
    account = server_account(own_folder, ())
    assert account is not None
    assert account.uid != 0
    assert account.capability == -1


def test_a_home_of_an_ordinary_user_stays_his(own_folder: Path) -> None:
    own_folder.chmod(0o755)
    home = own_folder / "home"
    home.mkdir()
    os.chown(home, ORDINARY, ORDINARY)
    assert server_account(home, ()) == Account(ORDINARY, ORDINARY)


def test_postgresql_starts_below_a_closed_folder(closed: Path, own_folder: Path) -> None:
    home = closed / "a home"
    home.mkdir()
    account = account_for(home)
    assert account is not None
    assert account.capability > 0
    server = Postgres(
        home / "postgres", own_folder / "s", home / "postgres.log", account, {"fsync": "off"}
    )
    server.start()
    try:
        assert uid_of(server.child.pid) == account.uid
    finally:
        server.stop()

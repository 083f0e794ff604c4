"""Files of a home are for us alone, and a link in their place leads nowhere."""

import os
import stat
from pathlib import Path

import pytest

from services.aggregate.worker.liveness import sign, touch
from services.ops.errors import CannotStart
from services.ops.stack.files import begin_anew, open_log, private_file
from services.ops.stack.folders import claimed, held


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    os.utime(victim, (1, 1))
    return victim


@pytest.fixture
def link(tmp_path: Path, victim: Path) -> Path:
    link = tmp_path / "web.log"
    link.symlink_to(victim)
    return link


def is_unharmed(victim: Path) -> bool:
    return victim.read_text() == "as it was" and victim.stat().st_mtime == 1


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_takes_the_place_of_a_link(link: Path, victim: Path) -> None:
    link.with_name("web.log.new").symlink_to(victim)
    private_file(link, "new")
    assert not link.is_symlink()
    assert (link.read_text(), mode(link)) == ("new", 0o600)
    assert is_unharmed(victim)


def test_a_log_is_not_opened_by_a_link(link: Path, victim: Path) -> None:
    with pytest.raises(OSError, match="symbolic link"):
        open_log(link)
    assert is_unharmed(victim)


def test_a_log_of_an_earlier_version_is_closed_to_others(tmp_path: Path) -> None:
    log = tmp_path / "redis.log"
    log.write_text("before ")
    log.chmod(0o644)
    with open_log(log) as file:
        file.write(b"after")
    assert (log.read_text(), mode(log)) == ("before after", 0o600)


def test_a_long_log_begins_anew_and_no_link_is_written_to(tmp_path: Path, victim: Path) -> None:
    log = tmp_path / "beat.log"
    log.write_text("long")
    log.with_suffix(".log.1").symlink_to(victim)
    begin_anew(log, 4)
    assert log.read_text() == "long"
    begin_anew(log, 3)
    assert log.read_text() == ""
    assert (tmp_path / "beat.log.1").read_text() == "long"
    assert mode(tmp_path / "beat.log.1") == 0o600
    assert is_unharmed(victim)


def test_a_link_is_not_shortened(link: Path, victim: Path) -> None:
    with pytest.raises(OSError, match="symbolic link"):
        begin_anew(link, 1)
    assert is_unharmed(victim)


def test_a_lock_is_not_a_link(link: Path, victim: Path) -> None:
    with pytest.raises(OSError, match="symbolic link"), held(link, 0, ""):
        pass
    assert is_unharmed(victim)


def test_a_sign_of_life_is_given_in_the_home_and_not_by_a_link(
    tmp_path: Path, victim: Path
) -> None:
    touch(sign(tmp_path, "inbox"))
    assert mode(tmp_path / "alive-inbox") == 0o600
    sign(tmp_path, "beat").symlink_to(victim)
    touch(sign(tmp_path, "beat"))
    touch(sign(tmp_path / "absent", "beat"))
    assert is_unharmed(victim)


def test_a_home_with_a_link_is_refused_and_one_without_is_closed(
    tmp_path: Path, victim: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with claimed(home):
        assert mode(home) == 0o700
    (home / "stack.json").symlink_to(victim)
    with pytest.raises(CannotStart, match=r"stack\.json is a link"), claimed(home):
        pass
    assert is_unharmed(victim)


def test_a_home_of_another_user_is_refused(tmp_path: Path, as_root: None) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1, 1)
    with pytest.raises(CannotStart, match="belongs to another user"), claimed(home):
        pass

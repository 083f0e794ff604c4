"""Which Redis the embedded stack runs."""

from pathlib import Path

import pytest

from services.ops.stack.binaries import redis_binary, store_server


def test_a_redis_on_path_is_called_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on Debian: one program that acts by the name that it is called by.
    program = tmp_path / "redis-check-rdb"
    program.write_text(
        '#!/bin/sh\ncase "$0" in *redis-server) echo "Redis server v=7.0.15 sha=0";;'
        ' *) echo "Redis 0";; esac\n'
    )
    program.chmod(0o755)
    (tmp_path / "redis-server").symlink_to(program)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    redis_binary.cache_clear()
    try:
        assert redis_binary() == tmp_path / "redis-server"
    finally:
        redis_binary.cache_clear()


def test_a_mended_valkey_of_the_wheel_is_preferred_to_an_old_redis_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "redis-server"
    program.write_text('#!/bin/sh\necho "Redis server v=6.2.5 sha=0"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("shutil.which", lambda name: str(tmp_path / name))
    redis_binary.cache_clear()
    try:
        chosen = redis_binary()
        assert (chosen.name, store_server(chosen).is_outdated) == ("valkey-server", False)
    finally:
        redis_binary.cache_clear()

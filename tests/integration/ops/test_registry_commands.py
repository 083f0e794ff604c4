"""`ikm apply` and `ikm key`, as an operator uses them."""

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from services.ops.cli import cli
from services.ops.registry.keys import (
    ClosedChannel,
    InvalidReader,
    ReaderIsChannel,
    UnknownChannel,
    UnknownKey,
    UnknownOpd,
)
from shared.connections import worker_redis
from shared.registry.file import RegistryError
from shared.registry.publication import snapshot_key, version_key
from shared.registry.snapshot import AccessKey, Registry

Ikm = Callable[..., Result]
EXAMPLE = str(Path(__file__).parents[3] / "examples" / "tanjungpinang" / "registry.yaml")
SMALL = """
instansi: {code: kota, name: Kota, timezone: Asia/Jakarta}
opd: [{code: dinas, name: Dinas, layanan: [{code: ktp, name: KTP}]}]
channels: [{name: loket, kind: api}, {name: lama, kind: api, valid_to: 2020-12-31}]
"""
WIDE = """
instansi: {code: kota, name: Kota, timezone: Asia/Jakarta}
opd: [{code: dinas, name: Dinas}, {code: lain, name: Lain}]
channels: [{name: loket, kind: api}, {name: dinas-saja, kind: api, opd: [dinas]}]
"""


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


@pytest.fixture
def ikm(database_url: str, redis_url: str, tmp_path: Path) -> Ikm:
    """Run the command against servers of the test's own; an error is raised, as `main` gets it."""
    environment = {
        "IKM_HOME": str(tmp_path),
        "IKM_DATABASE_URL": database_url,
        "IKM_REDIS_URL": redis_url,
    }

    def run(*arguments: str, source: str | None = None, **env: str) -> Result:
        given = None if source is None else source.encode()
        runner = CliRunner(env={**environment, **env})
        return runner.invoke(cli, arguments, input=given, catch_exceptions=False)

    return run


def published(redis: Redis) -> Registry:
    snapshot = redis.get(snapshot_key("ikm:"))
    assert isinstance(snapshot, bytes)
    registry = Registry.decode(snapshot)
    assert redis.get(version_key("ikm:")) == str(registry.version).encode()
    return registry


def test_the_example_is_applied_and_published_and_a_second_time_changes_nothing(
    ikm: Ikm, redis: Redis
) -> None:
    first = ikm("apply", EXAMPLE)
    assert (
        "+ layanan disdukcapil/ktp-el  name: KTP Elektronik, users_per_year: 12000"
        in first.stdout.splitlines()
    )
    assert "+ channel kediri  kind: api, opd: [contoh-kediri]" in first.stdout.splitlines()
    registry = published(redis)
    assert len(registry.opd) == 13
    second = ikm("apply", EXAMPLE)
    assert (second.exit_code, second.stdout) == (0, "tidak ada perubahan / no change\n")
    assert published(redis) == registry


def test_a_change_is_shown_and_published(ikm: Ikm, redis: Redis) -> None:
    ikm("apply", "-", source=SMALL)
    before = published(redis).version
    shown = ikm(
        "apply",
        "-",
        "--prune",
        source=SMALL.replace("name: KTP", "name: KTP-el").replace("lama", "baru"),
    )
    assert shown.stdout.splitlines()[:2] == [
        "~ layanan dinas/ktp  name: KTP → KTP-el",
        "+ channel baru  kind: api, opd: all, valid_to: 2020-12-31",
    ]
    assert published(redis).version > before


def test_a_dry_run_publishes_nothing(ikm: Ikm, redis: Redis) -> None:
    shown = ikm("apply", "-", "--dry-run", source=SMALL)
    assert (
        shown.stdout.splitlines()[-1]
        == "5 perubahan, belum diterapkan / 5 changes, not applied (dry run)"
    )
    assert redis.get(version_key("ikm:")) is None


def test_a_file_with_faults_names_them_all(ikm: Ikm) -> None:
    with pytest.raises(RegistryError) as caught:
        ikm("apply", "-", source="opd: [{code: A}]")
    assert str(caught.value).splitlines()[1:] == [
        "  opd[0].name: is missing",
        "  opd[0].code: 'A' must match [a-z0-9][a-z0-9-]{0,63}",
    ]


def test_a_file_that_is_not_utf_8_is_refused(ikm: Ikm, tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_bytes(b"opd: [\xff]")
    with pytest.raises(RegistryError, match="not UTF-8"):
        ikm("apply", str(tmp_path / "registry.yaml"))


def test_a_key_stands_alone_on_the_last_line_and_only_its_hash_is_kept(
    ikm: Ikm, redis: Redis
) -> None:
    ikm("apply", "-", source=SMALL)
    created = ikm("key", "create", "loket", "--label", "meja 3")
    key = created.stdout.splitlines()[-1]
    assert re.fullmatch(r"ikm_[A-Za-z0-9_-]{43}", key)
    assert published(redis).keys[sha256(key.encode()).hexdigest()].channel == "loket"
    listed = ikm("key", "list").stdout
    assert "meja 3" in listed
    assert key not in listed
    assert key.encode() not in published(redis).encode()


def test_a_revoked_key_leaves_the_snapshot_for_good(ikm: Ikm, redis: Redis) -> None:
    ikm("apply", "-", source=SMALL)
    ikm("key", "create", "loket")
    kept = ikm("key", "create", "loket").stdout.splitlines()[-1]
    revoked = next(
        key.id
        for digest, key in published(redis).keys.items()
        if digest != sha256(kept.encode()).hexdigest()
    )
    assert ikm("key", "revoke", revoked).stdout == f"kunci {revoked} dicabut / revoked\n"
    assert list(published(redis).keys) == [sha256(kept.encode()).hexdigest()]
    version = published(redis).version
    assert (
        ikm("key", "revoke", revoked).stdout == f"kunci {revoked} sudah dicabut / already revoked\n"
    )
    assert published(redis).version == version
    assert len(ikm("key", "list").stdout.splitlines()) == 3


def test_keys_are_made_for_open_channels_only(ikm: Ikm) -> None:
    with pytest.raises(UnknownChannel, match="no such channel: loket; known: none"):
        ikm("key", "create", "loket")
    ikm("apply", "-", source=SMALL)
    with pytest.raises(UnknownChannel, match="no such channel: kios; known: lama, loket"):
        ikm("key", "create", "kios")
    with pytest.raises(ClosedChannel, match="lama, since 2020-12-31"):
        ikm("key", "create", "lama")


def key_of(ikm: Ikm, redis: Redis, *arguments: str) -> AccessKey:
    """Make a key; return what every process learns of it."""
    created = ikm("key", "create", *arguments).stdout.splitlines()[-1]
    return published(redis).keys[sha256(created.encode()).hexdigest()]


def test_a_key_submits_reads_or_does_both_within_its_scope(ikm: Ikm, redis: Redis) -> None:
    ikm("apply", "-", source=WIDE)
    rights = {
        arguments: (key.channel, key.may_submit, key.may_read, key.opd)
        for arguments in (
            ("loket",),
            ("dinas-saja", "--submit"),
            ("Dasbor Wali Kota", "--read"),
            ("pembaca", "--read", "--opd", "dinas", "--opd", "lain", "--opd", "dinas"),
            ("loket", "--submit", "--read"),
            ("dinas-saja", "--submit", "--read"),
            ("dinas-saja", "--submit", "--read", "--opd", "lain"),
        )
        for key in [key_of(ikm, redis, *arguments)]
    }
    assert list(rights.values()) == [
        ("loket", True, False, None),
        ("dinas-saja", True, False, None),
        (None, False, True, None),
        (None, False, True, {"dinas", "lain"}),
        ("loket", True, True, None),
        ("dinas-saja", True, True, {"dinas"}),
        ("dinas-saja", True, True, {"lain"}),
    ]
    lines = [line.split() for line in ikm("key", "list").stdout.splitlines()]
    listed = next(line for line in lines if line[1] == "pembaca")
    assert listed[2:5] == ["baca/read", "dinas", "lain"]


def test_what_speaks_against_a_key_is_said(ikm: Ikm) -> None:
    ikm("apply", "-", source=WIDE)
    with pytest.raises(UnknownOpd, match="no such OPD: dians; known: dinas, lain"):
        ikm("key", "create", "pembaca", "--read", "--opd", "dians")
    with pytest.raises(ReaderIsChannel, match=r"loket; .* --submit --read"):
        ikm("key", "create", "loket", "--read")
    with pytest.raises(InvalidReader):
        ikm("key", "create", "", "--read")
    with pytest.raises(UnknownChannel, match="A key that only reads: --read"):
        ikm("key", "create", "pembaca")
    refused = ikm("key", "create", "loket", "--opd", "dinas")
    assert (refused.exit_code, "--read too" in refused.stderr) == (2, True)
    assert len(ikm("key", "list").stdout.splitlines()) == 1


def test_a_key_that_does_not_exist_cannot_be_revoked(ikm: Ikm) -> None:
    with pytest.raises(UnknownKey, match="0123abcd"):
        ikm("key", "revoke", "0123abcd")


def test_without_redis_everything_is_stored_and_said_to_be_published_later(
    ikm: Ikm, redis: Redis, tmp_path: Path
) -> None:
    dead = f"unix://{tmp_path}/redis.sock"
    applied = ikm("apply", "-", source=SMALL, IKM_REDIS_URL=dead)
    assert applied.exit_code == 0
    assert "the sweep publishes it" in applied.stderr
    created = ikm("key", "create", "loket", IKM_REDIS_URL=dead)
    assert re.fullmatch(r"ikm_[A-Za-z0-9_-]{43}", created.stdout.splitlines()[-1])
    assert redis.get(version_key("ikm:")) is None
    assert ikm("apply", "-", source=SMALL).stderr == ""
    assert len(published(redis).keys) == 1

"""`ikm secret`: what a channel shares with its sender reaches ingest, and is shown to nobody."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.ops.cli import cli
from services.ops.registry.channel_secrets import InvalidSecret, UnknownSecret
from services.ops.registry.keys import UnknownChannel
from shared.connections import worker_redis
from shared.registry.publication import snapshot_key
from shared.registry.snapshot import Registry
from shared.storage.engine import opened, transaction
from shared.storage.registry import stored_registry

Ikm = Callable[..., Result]
REGISTRY = """
instansi: {code: kota, name: Kota, timezone: Asia/Jakarta}
opd: [{code: dinas, name: Dinas, layanan: [{code: ktp, name: KTP}]}]
channels: [{name: kait, kind: api}]
"""


@pytest.fixture
def ikm(database_url: str, redis_url: str, tmp_path: Path) -> Ikm:
    """Run the command against servers of the test's own, with a channel `kait`."""
    environment = {
        "IKM_HOME": str(tmp_path),
        "IKM_DATABASE_URL": database_url,
        "IKM_REDIS_URL": redis_url,
    }

    def run(*arguments: str, source: str | None = None) -> Result:
        runner = CliRunner(env=environment)
        return runner.invoke(cli, arguments, input=source, catch_exceptions=False)

    run("apply", "-", source=REGISTRY)
    return run


def published(redis_url: str) -> Registry:
    with worker_redis(redis_url) as redis:
        snapshot = redis.get(snapshot_key("ikm:"))
    assert isinstance(snapshot, bytes)
    return Registry.decode(snapshot)


def test_a_secret_reaches_ingest_and_no_answer(ikm: Ikm, redis_url: str, database_url: str) -> None:
    shown = ikm("secret", "set", "kait", "signing", source="s3cr3t-of-kait\n").stdout
    assert "s3cr3t" not in shown
    registry = published(redis_url)
    assert registry.channels["kait"].secrets == {"signing": "s3cr3t-of-kait"}
    assert "s3cr3t" not in repr(registry)
    assert "kait" in (listed := ikm("secret", "list").stdout)
    assert "s3cr3t" not in listed
    with opened(database_url) as engine, transaction(engine) as connection:
        assert not stored_registry.load(connection).channels["kait"].secrets


def test_a_registry_file_leaves_secrets_alone(ikm: Ikm, redis_url: str) -> None:
    ikm("secret", "set", "kait", "signing", source="s3cr3t-of-kait\n")
    assert "kait" not in ikm("apply", "-", source=REGISTRY).stdout
    ikm("apply", "-", source=REGISTRY.replace("kind: api", "kind: lain"))
    kait = published(redis_url).channels["kait"]
    assert (kait.kind, kait.secrets) == ("lain", {"signing": "s3cr3t-of-kait"})


def test_a_generated_secret_is_shown_once_and_another_takes_its_place(
    ikm: Ikm, redis_url: str
) -> None:
    made = [
        ikm("secret", "set", "kait", "signing", "--generate").stdout.split()[-1] for _ in range(2)
    ]
    assert made[0] != made[1]
    assert all(secret.startswith("whsec_") for secret in made)
    assert published(redis_url).channels["kait"].secrets == {"signing": made[1]}


def test_a_removed_secret_is_gone(ikm: Ikm, redis_url: str) -> None:
    ikm("secret", "set", "kait", "signing", source="s3cr3t-of-kait\n")
    ikm("secret", "remove", "kait", "signing")
    assert not published(redis_url).channels["kait"].secrets
    with pytest.raises(UnknownSecret, match="ikm secret list"):
        ikm("secret", "remove", "kait", "signing")


@pytest.mark.parametrize("secret", ["", "a b", "x" * 1001])
def test_what_can_be_no_secret_is_refused(ikm: Ikm, secret: str) -> None:
    with pytest.raises(InvalidSecret):
        ikm("secret", "set", "kait", "signing", source=f"{secret}\n")


def test_a_channel_that_is_not_there_has_no_secrets(ikm: Ikm) -> None:
    with pytest.raises(UnknownChannel, match="kait"):
        ikm("secret", "set", "kiat", "signing", source="s3cr3t\n")

"""`ikm odk-settings`: the QR code that sets up ODK Collect."""

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.ops.cli import cli
from services.ops.prints.addresses import NoAddress
from services.ops.registry.keys import UnknownChannel

Ikm = Callable[..., Result]
REGISTRY = """
instansi: {code: kota, name: Kota, timezone: Asia/Jakarta}
opd: [{code: dinas, name: Dinas, layanan: [{code: ktp, name: KTP}]}]
channels: [{name: tablet, kind: openrosa}]
"""


@pytest.fixture
def ikm(database_url: str, redis_url: str, tmp_path: Path) -> Ikm:
    """Run the command against servers of the test's own, with a channel `tablet`."""
    environment = {
        "IKM_HOME": str(tmp_path),
        "IKM_DATABASE_URL": database_url,
        "IKM_REDIS_URL": redis_url,
    }

    def run(*arguments: str, source: str | None = None) -> Result:
        given = None if source is None else source.encode()
        runner = CliRunner(env=environment)
        return runner.invoke(cli, arguments, input=given, catch_exceptions=False)

    run("apply", "-", source=REGISTRY)
    return run


def settings_in(shown: str) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(shown)))
    return settings


def test_the_last_line_is_what_collect_reads_and_its_key_is_new(ikm: Ikm) -> None:
    shown = ikm("odk-settings", "tablet", "--base-url", "https://ikm.kota.go.id/").stdout
    settings = settings_in(shown.splitlines()[-1])
    url = settings["general"]["server_url"]
    assert url.startswith("https://ikm.kota.go.id/v1/key/ikm_")
    assert url in shown
    assert settings.keys() == {"general", "admin", "project"}
    assert settings["project"]["name"] == "SKM tablet"
    assert "▀" in shown or "█" in shown
    listed = ikm("key", "list").stdout
    assert "ODK Collect" in listed
    assert url.rpartition("/")[2] not in listed


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_the_code_is_a_file_for_its_owner_alone(
    ikm: Ikm, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    file = tmp_path / f"tablet.{suffix}"
    ikm("odk-settings", "tablet", "--base-url", "https://a.id", "--out", str(file))
    assert file.read_bytes().startswith(magic)
    assert file.stat().st_mode & 0o077 == 0


def test_nothing_is_made_of_a_wrong_address_channel_or_file(ikm: Ikm) -> None:
    with pytest.raises(NoAddress):
        ikm("odk-settings", "tablet", "--base-url", "ikm.kota.go.id")
    with pytest.raises(UnknownChannel):
        ikm("odk-settings", "lain", "--base-url", "https://a.id")
    wrong = ikm("odk-settings", "tablet", "--base-url", "https://a.id", "--out", "x.gif")
    assert wrong.exit_code == 2
    assert "ODK" not in ikm("key", "list").stdout

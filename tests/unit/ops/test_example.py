"""The example's key: kept from run to run while it may submit and read."""

from pathlib import Path
from typing import cast

import pytest

from services.ops.client import Client
from services.ops.stack.example import kept_key


class Service:
    """Knows which keys may submit and read."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)

    def may_do_both(self, key: str, _opd: str) -> bool:
        return key in self.keys

    def await_key(self, key: str) -> None:
        self.keys.add(key)


@pytest.mark.parametrize(
    ("kept", "used"),
    [("ikm_baik", "ikm_baik"), ("ikm_hanya_kirim", "ikm_baru"), (None, "ikm_baru")],
)
def test_a_home_of_before_gets_a_key_that_reads_too(
    tmp_path: Path, kept: str | None, used: str
) -> None:
    path = tmp_path / "example.key"
    if kept is not None:
        path.write_text(f"{kept}\n", encoding="ascii")
    client = cast("Client", Service("ikm_baik"))
    assert kept_key(path, client, lambda: "ikm_baru") == used
    assert path.read_text(encoding="ascii") == f"{used}\n"

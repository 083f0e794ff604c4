"""Settings of chats are texts of their names, and nothing else."""

import pytest

from shared.registry.kinds.settings import wrong_settings
from shared.registry.snapshot import Channel


@pytest.mark.parametrize(
    ("kind", "settings", "pointers"),
    [
        ("whatsapp", {"phone_number_id": "111"}, []),
        ("whatsapp", {"api": "ftp://x"}, ["/api", "/phone_number_id"]),
        ("telegram", {"phone_number_id": "111"}, ["/phone_number_id"]),
        ("sms", {"from": "sender", "id": 7}, ["/id"]),
    ],
)
def test_wrong_settings_are_named(
    kind: str, settings: dict[str, object], pointers: list[str]
) -> None:
    channel = Channel("x", kind, settings=settings)
    assert [violation.pointer for violation in wrong_settings(channel)] == pointers

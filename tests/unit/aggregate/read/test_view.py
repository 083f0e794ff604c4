"""Which key a header is, and which view it gives."""

from dataclasses import replace

import pytest

from services.aggregate.read import view
from services.aggregate.read.view import INTERNAL, PUBLIC, SentKeys, view_of
from shared.problems import Refused
from shared.registry.snapshot import AccessKey
from tests.builders import READ_KEY, key_hash, registry

HEADER = b"Bearer " + READ_KEY.encode()
SCOPED = AccessKey("k", None, may_submit=False, may_read=True, opd=frozenset({"dinkes"}))


def test_a_key_that_was_revoked_is_forgotten_with_its_registry() -> None:
    keys, known = SentKeys(), registry()
    for _ in range(2):
        assert keys.key_of(known, HEADER) == known.keys[key_hash(READ_KEY)]
    with pytest.raises(Refused):
        keys.key_of(replace(known, keys={}), HEADER)
    assert keys.key_of(known, None) is None


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST_HEADERS", 3)
    keys, known = SentKeys(), registry()
    for spaces in range(1, 10):
        assert keys.key_of(known, b"Bearer " + b" " * spaces + READ_KEY.encode()) is not None
    assert keys.key_of(known, HEADER + b" " * 10_000) is not None
    assert len(keys._keys) == 3


def test_the_scope_of_a_key_decides_the_view() -> None:
    reads_all = AccessKey("k", None, may_submit=False, may_read=True)
    sender = AccessKey("k", "loket")
    views = {
        name: [view_of(key, opd) for opd in ("dinkes", "dukcapil", None)]
        for name, key in (
            ("none", None), ("all", reads_all), ("scoped", SCOPED), ("sender", sender)
        )
    }  # fmt: skip
    assert views == {
        "none": [PUBLIC] * 3,
        "all": [INTERNAL] * 3,
        "scoped": [INTERNAL, PUBLIC, PUBLIC],
        "sender": [PUBLIC] * 3,
    }

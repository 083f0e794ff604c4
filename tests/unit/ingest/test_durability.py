"""What a 202 promises, judged by what Redis says of itself."""

import pytest

from services.ingest.watch import Durability

SAFE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "no-appendfsync-on-rewrite": "no",
}


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({}, "disk"),
        ({"appendfsync": "everysec"}, "second"),
        ({"appendfsync": "no"}, "memory"),
        ({"appendonly": "no"}, "memory"),
        ({"no-appendfsync-on-rewrite": "yes"}, "memory"),
        ({"maxmemory-policy": "allkeys-lru"}, "memory"),
        ({"maxmemory-policy": "volatile-ttl"}, "memory"),
        ({"appendfsync": "sometimes"}, "unknown"),
    ],
)
def test_the_promise_is_the_weakest_of_what_is_configured(
    change: dict[str, str], promise: str
) -> None:
    assert Durability.of(SAFE | change).promise == promise


def test_a_store_that_says_nothing_promises_nothing_that_is_known() -> None:
    assert Durability.of({}) == Durability()
    assert Durability().promise == "unknown"

"""Which server answers, and whether anybody still mends it."""

import pytest

from shared.store import StoreServer


@pytest.mark.parametrize(
    ("printed", "told", "is_outdated"),
    [
        ("Redis server v=6.2.5 sha=00000000:0 malloc=jemalloc", "redis 6.2", True),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc", "redis 7.0", False),
        ("Redis server v=8.2.1 sha=00000000:0", "redis 8.2", False),
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc", "valkey 9.1", False),
        ("something else", "redis 0.0", False),
    ],
)
def test_a_program_is_known_by_what_it_prints(printed: str, told: str, is_outdated: bool) -> None:
    server = StoreServer.of_program(printed)
    assert (str(server), server.is_outdated) == (told, is_outdated)


@pytest.mark.parametrize(
    ("info", "told", "is_outdated"),
    [
        ({"redis_version": "6.2.5"}, "redis 6.2", True),
        ({"redis_version": "7.0.15"}, "redis 7.0", False),
        # A Valkey says which Redis it can stand in for: that is not what it is.
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, "valkey 9.1", False),
        ({"redis_version": "255.255.255"}, "redis 255.255", False),
        ({"redis_version": "managed"}, "redis 0.0", False),
        ({}, "redis 0.0", False),
    ],
)
def test_a_server_is_known_by_its_info(
    info: dict[str, object], told: str, is_outdated: bool
) -> None:
    server = StoreServer.of_info(info)
    assert (str(server), server.is_outdated) == (told, is_outdated)

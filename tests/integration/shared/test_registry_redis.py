"""The snapshot in a real Redis: the newest one wins, whoever comes last."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from shared.connections import worker_redis
from shared.registry.publication import fetch, publish, snapshot_key, version_key
from shared.registry.snapshot import Registry

PREFIX = "kota:"


def snapshot(version: int) -> Registry:
    return replace(Registry.empty(), version=version)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with worker_redis(redis_url) as client:
        yield client


def read(url: str, newer_than: int) -> Registry | None:
    async def once() -> Registry | None:
        async with AsyncRedis.from_url(url) as client:
            return await fetch(client, PREFIX, newer_than)

    return asyncio.run(once())


def test_what_is_published_is_fetched(redis: Redis, redis_url: str) -> None:
    assert read(redis_url, -1) is None
    assert publish(redis, PREFIX, snapshot(5))
    assert read(redis_url, 4) == snapshot(5)


def test_a_snapshot_that_is_known_is_not_fetched_again(redis: Redis, redis_url: str) -> None:
    publish(redis, PREFIX, snapshot(5))
    assert read(redis_url, 5) is None
    assert read(redis_url, 6) is None


@pytest.mark.parametrize("order", list(permutations((7, 8, 9))))
def test_in_any_order_of_publishers_the_newest_stays(
    redis: Redis, redis_url: str, order: tuple[int, ...]
) -> None:
    for version in order:
        publish(redis, PREFIX, snapshot(version))
    assert read(redis_url, 0) == snapshot(9)
    assert redis.get(version_key(PREFIX)) == b"9"


def test_an_older_or_equal_snapshot_is_not_stored(redis: Redis) -> None:
    assert publish(redis, PREFIX, snapshot(1_777_777_777_777))
    assert not publish(redis, PREFIX, snapshot(1_777_777_777_776))
    assert not publish(redis, PREFIX, snapshot(1_777_777_777_777))
    assert publish(redis, PREFIX, snapshot(1_777_777_777_778))


def test_a_lost_snapshot_is_stored_again(redis: Redis, redis_url: str) -> None:
    publish(redis, PREFIX, snapshot(5))
    redis.delete(snapshot_key(PREFIX))
    assert read(redis_url, 0) is None
    assert publish(redis, PREFIX, snapshot(5))
    assert read(redis_url, 0) == snapshot(5)


def test_the_snapshot_never_expires(redis: Redis) -> None:
    publish(redis, PREFIX, snapshot(5))
    assert [redis.ttl(name) for name in (snapshot_key(PREFIX), version_key(PREFIX))] == [-1, -1]


def test_other_prefixes_are_other_registries(redis: Redis, redis_url: str) -> None:
    publish(redis, "kabupaten:", snapshot(5))
    assert read(redis_url, 0) is None

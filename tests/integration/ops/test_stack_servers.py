"""The embedded servers keep what they acknowledged, come back, and never run twice in a folder."""

import signal

import psycopg
import pytest
import redis

from services.ops.stack.servers import Postgres, Redis


def test_each_test_has_a_database_with_the_tables(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM response").fetchone() == (0,)


def test_each_test_has_an_empty_redis_that_syncs_every_write(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.dbsize() == 0
    assert client.config_get("append*")["appendfsync"] == "always"
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    client.close()


def test_a_killed_redis_keeps_every_acknowledged_write(own_redis: Redis) -> None:
    client = own_redis.connect()
    for number in range(50):
        client.xadd("s", {"n": number})
    own_redis.kill()
    assert not own_redis.is_ready()
    own_redis.start()
    assert client.xlen("s") == 50
    client.close()


def test_a_killed_postgresql_keeps_every_commit(own_postgres: Postgres) -> None:
    with own_postgres.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    own_postgres.kill()
    assert not own_postgres.is_ready()
    own_postgres.start()
    with own_postgres.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_postgresql_starts_although_the_pid_file_names_a_living_process(
    own_postgres: Postgres,
) -> None:
    own_postgres.kill()
    pid_file = own_postgres.folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join(["1", *lines[1:]]))
    own_postgres.start()
    assert own_postgres.is_ready()


def test_a_frozen_redis_is_not_ready_and_goes_on_when_thawed(own_redis: Redis) -> None:
    own_redis.signal(signal.SIGSTOP)
    try:
        client = redis.Redis.from_url(own_redis.url, socket_timeout=0.2, retry=None)
        with pytest.raises(redis.TimeoutError):
            client.ping()
        client.close()
    finally:
        own_redis.signal(signal.SIGCONT)
    own_redis.wait_ready(5)

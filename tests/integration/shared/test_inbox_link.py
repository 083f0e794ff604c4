"""The writer's connection: over TCP and TLS, with a password and a database, and after a loss."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as LinkLost

from services.ops.stack.servers import Redis
from shared.connections import ingest_redis
from shared.inbox.entry import Parcel
from shared.inbox.writer import Writer
from shared.link import Link
from tests.integration.shared.relay import made_certificate, relayed, socket_of

PREFIX = "tautan:"
PARCELS = [Parcel("loket", 1_777_777_777_000_000, b"r" * 16, ["a"], [b"{}"])]


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[Writer]:
    async with ingest_redis(url, timeout_s=5) as redis:
        writer = Writer(redis, PREFIX)
        try:
            yield writer
        finally:
            await writer.close()


async def append_once(url: str) -> tuple[int, int]:
    async with writing(url) as writer:
        return await writer.append(PARCELS, 1)


def test_over_tcp(own_redis: Redis) -> None:
    async def main() -> None:
        async with relayed(socket_of(own_redis)) as port:
            assert await append_once(f"redis://127.0.0.1:{port}/0") == (1, 0)
            assert await append_once(f"redis://localhost:{port}") == (2, 0)

    asyncio.run(main())


def test_with_tls_the_certificate_is_judged_as_the_client_judges_it(
    own_redis: Redis, tmp_path: Path, openssl: str
) -> None:
    tls = made_certificate(openssl, tmp_path)

    async def main() -> None:
        async with relayed(socket_of(own_redis), tls) as port:
            with pytest.raises(OSError, match="certificate"):
                await append_once(f"rediss://localhost:{port}/0")
            trusted = f"rediss://localhost:{port}/0?ssl_ca_certs={tls['certificate']}"
            assert await append_once(trusted) == (1, 0)

    asyncio.run(main())


def test_with_a_password_and_a_database(own_redis: Redis) -> None:
    async def main() -> None:
        with own_redis.connect() as redis:
            redis.acl_setuser(
                "masuk", enabled=True, passwords=["+rahasia"], keys="*", commands=["+@all"]
            )
            redis.config_set("requirepass", "pokok")
        named, plain = (
            f"{own_redis.url}?username=masuk&password=rahasia",
            f"{own_redis.url}?password=pokok",
        )
        assert await append_once(named) == (1, 0)
        assert await append_once(plain) == (2, 0)
        assert await append_once(f"{plain}&db=3") == (1, 0)
        with pytest.raises(
            (AuthenticationError, ResponseError), match=r"NOAUTH|Authentication|unauthenticated"
        ):
            await append_once(own_redis.url)
        with pytest.raises((AuthenticationError, ResponseError), match=r"WRONGPASS|invalid"):
            await append_once(f"{own_redis.url}?password=salah")

    asyncio.run(main())


def test_a_connection_that_was_closed_is_opened_anew(own_redis: Redis) -> None:
    async def main() -> None:
        async with writing(own_redis.url) as writer:
            await writer.append(PARCELS, 1)
            with own_redis.connect() as redis:
                redis.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(0.05)
            assert await writer.append(PARCELS, 1) == (2, 0)
            await asyncio.to_thread(own_redis.stop)
            for _ in range(2):
                with pytest.raises(OSError, match=r"redis\.sock|No such file|refused"):
                    await writer.append(PARCELS, 1)
            await asyncio.to_thread(own_redis.start)
            assert await writer.append(PARCELS, 1) == (3, 0)

    asyncio.run(main())


def test_an_answer_that_came_too_late_meets_nobody_else(own_redis: Redis) -> None:
    async def main() -> None:
        async with writing(own_redis.url) as writer:
            await writer.append(PARCELS, 1)
            with own_redis.connect() as redis:
                redis.client_pause(300)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await writer.append(PARCELS * 2, 2)
                await asyncio.sleep(0.4)
                assert await writer.append(PARCELS, 1) in {(2, 0), (4, 0)}

    asyncio.run(main())


def test_a_lost_connection_is_told_to_who_waits(own_redis: Redis) -> None:
    async def main() -> None:
        async with ingest_redis(own_redis.url, timeout_s=5) as redis:
            link = await Link.open(redis)
            assert await link.call("PING") == b"PONG"
            waiting = asyncio.create_task(link.call("BLPOP", "nothing", 5))
            await asyncio.sleep(0.05)
            link.close()
            with pytest.raises(LinkLost):
                await waiting
            with pytest.raises(LinkLost):
                await link.call("PING")
            assert not link.is_open
            link.close()

    asyncio.run(main())

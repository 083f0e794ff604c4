"""Celery's own connection to Redis: over TLS it trusts nobody whom the other clients do not."""

import asyncio
from pathlib import Path

import pytest
from kombu import pools
from kombu.exceptions import OperationalError

from services.ops.stack.servers import Redis
from shared.broker import DRAIN, celery_app
from shared.settings import Settings
from tests.integration.shared.relay import made_certificate, relayed, socket_of


def send(redis_url: str) -> None:
    app = celery_app(Settings.load(redis_url=redis_url))
    try:
        app.send_task(DRAIN, retry=False)
    finally:
        pools.reset()  # they are kept for all applications of a process


def test_over_tls_the_certificate_of_redis_is_verified(
    own_redis: Redis, tmp_path: Path, openssl: str
) -> None:
    tls = made_certificate(openssl, tmp_path)

    async def main() -> None:
        async with relayed(socket_of(own_redis), tls) as port:
            address = f"rediss://localhost:{port}/0"
            with pytest.raises(OperationalError, match="certificate"):
                await asyncio.to_thread(send, address)
            await asyncio.to_thread(send, f"{address}?ssl_ca_certs={tls['certificate']}")

    asyncio.run(main())
    with own_redis.connect() as client:
        assert client.llen("ikm:celery:inbox") == 1

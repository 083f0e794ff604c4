"""Redis clients with the time-outs that the promises need: nothing may wait on a silent Redis for long."""

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 2.0


def worker_redis(url: str, *, timeout_s: float = 10.0) -> Redis:
    """A client for workers and commands; `timeout_s` must exceed the longest blocking read."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),  # the caller decides: a task ends, the sweep comes again
        health_check_interval=15,
    )


def ingest_redis(url: str, *, timeout_s: float) -> AsyncRedis:
    """A client for ingest: an answer within `timeout_s`, or an error, and no silent second try."""
    return AsyncRedis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=AsyncRetry(
            NoBackoff(), 0
        ),  # a repeated append could store twice what one answer acknowledges
        max_connections=8,
    )

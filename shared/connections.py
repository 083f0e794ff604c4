"""Redis clients with the time-outs that the promises need: none waits long on a silent Redis."""

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 2.0


def worker_redis(url: str, *, timeout_s: float = 10.0) -> Redis:
    """Return a client for workers and commands; `timeout_s` exceeds the longest blocking read."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),  # the caller decides: a task ends, the sweep comes again
        health_check_interval=15,
    )


def ingest_redis(url: str, *, timeout_s: float) -> AsyncRedis:
    """Return a client that answers within `timeout_s` or fails, and tries nothing twice."""
    return AsyncRedis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # a repeated append could store twice what one answer acknowledges
        retry=AsyncRetry(NoBackoff(), 0),
        max_connections=8,
    )

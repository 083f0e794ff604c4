"""The ingest service over HTTP: uvicorn in a thread of the test, as `ikm serve ingest` runs it."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from redis import Redis

from services.ingest.app import Ingest
from services.ops.web.server import server_options
from shared.connections import worker_redis
from shared.inbox.entry import entry_of
from shared.inbox.keys import Keys
from shared.registry.publication import publish
from shared.registry.snapshot import Registry
from shared.settings import Settings
from tests.builders import authorization, registry, submission_json

PREFIX = "masuk:"


def settings(redis_url: str, **changes: str) -> Settings:
    """Settings for this Redis, with these changes."""
    return Settings.load(home="/nonexistent", redis_url=redis_url, redis_prefix=PREFIX, **changes)


@contextmanager
def serving(redis_url: str, **changes: str) -> Iterator[httpx.Client]:
    """A running ingest service, and a client of it."""
    configured = settings(redis_url, **changes)
    server = uvicorn.Server(
        uvicorn.Config(Ingest(configured), port=0, **server_options(configured))
    )
    collecting = gc.get_threshold()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), within=20)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False
        ) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        gc.unfreeze()  # what the service does to its own process must not stay with the tests
        gc.set_threshold(*collecting)


def eventually(true: Callable[[], bool], within: float) -> float:
    """Wait until it is true and return the seconds that it took; AssertionError when it is not."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < within, f"not within {within} s"
        time.sleep(0.02)
    return time.monotonic() - started


def post(
    client: httpx.Client, source_id: str, key: str | None = None, **changes: Any
) -> httpx.Response:
    """Send one submission."""
    headers = {
        "content-type": "application/json",
        **(authorization(key) if key else authorization()),
    }
    return client.post(
        "/v1/submissions", content=submission_json(id=source_id, **changes), headers=headers
    )


def accepted(client: httpx.Client, source_id: str, key: str | None = None, **changes: Any) -> bool:
    """Whether it was answered with 202."""
    return post(client, source_id, key, **changes).status_code == httpx.codes.ACCEPTED


def tell(redis_url: str, snapshot: Registry | None = None) -> None:
    """Publish a registry."""
    with worker_redis(redis_url) as client:
        publish(client, PREFIX, snapshot or registry())


def stored(client: Redis) -> list[str]:
    """The ids of all submissions in the inbox."""
    entries: Any = client.xrange(Keys.of(PREFIX).stream)
    return [
        name
        for entry in entries
        for parcel in entry_of(*entry).parcels or ()
        for name in parcel.ids
    ]

"""One service for all attacks, as `ikm serve all` runs it, on servers of its own."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.ops.account.account import Account, give
from services.ops.stack.servers import Postgres, Redis
from shared.connections import worker_redis
from shared.registry.publication import publish
from shared.settings import Settings
from tests.attack.attacked_service import ROOT, Attacked
from tests.builders import KEY, registry
from tests.integration.aggregate.read.read_service import city

START_TIMEOUT_S = 60
DATABASE = "attacked"


@pytest.fixture(scope="session")
def attacked(
    postgres_server: Postgres,
    server_user: Account | None,
    tmp_path_factory: pytest.TempPathFactory,
    server_folder: Path,
) -> Iterator[Attacked]:
    """A running service that has its registry and its figures."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    home = tmp_path_factory.mktemp("attacked")
    folder = server_folder / "attacked"
    folder.mkdir()
    give(folder, server_user)
    redis = Redis(folder / "redis", folder / "s", folder / "redis.log", server_user)
    redis.start()
    with postgres_server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE ikm_template")
    environment = {
        **os.environ,
        "IKM_HOME": str(home),
        "IKM_DATABASE_URL": postgres_server.database_url(DATABASE),
        "IKM_REDIS_URL": redis.url,
        "PYTHONPATH": str(ROOT),
    }

    with worker_redis(redis.url) as client:
        publish(client, Settings.load(home=home).redis_prefix, registry())
    with city(environment["IKM_DATABASE_URL"]) as town:
        town.refresh()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        command = [
            sys.executable,
            "-m",
            "services.ops.cli",
            "serve",
            "all",
            "--fd",
            str(descriptor),
        ]
        log = home / "serve.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stderr=file, pass_fds=(descriptor,)
            )
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
    try:
        _wait_until_ready(http, process, log)
        yield Attacked(process.pid, port, KEY, log, http)
    finally:
        http.close()
        process.terminate()
        process.wait(20)
        redis.stop()
        with postgres_server.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _wait_until_ready(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"not ready: {log.read_text()}")

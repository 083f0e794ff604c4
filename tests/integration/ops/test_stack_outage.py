"""PostgreSQL is away for half a minute under load: processes stay, each 202 is counted later."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from services.ops.stack.servers import Postgres
from shared.storage import tables
from shared.storage.engine import opened
from tests.builders import submission_json
from tests.integration.ingest.ingest_service import eventually

ROOT = Path(__file__).parents[3]
AWAY_S = 30.0
REGISTRY = """
instansi: {code: uji, name: Kota Uji, timezone: Asia/Jakarta}
opd: [{code: disdukcapil, name: Disdukcapil, layanan: [{code: ktp-el, name: KTP}]}]
channels: [{name: loket, kind: api}]
"""


class Installation:
    """The commands of an installation, on servers of its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder
        names = {
            "IKM_DATABASE_URL": database_url,
            "IKM_REDIS_URL": redis_url,
            "IKM_HOME": str(folder),
        }
        self.environment = {
            **os.environ,
            **names,
            "IKM_TAKEOVER_IDLE": "2",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *arguments: str) -> str:
        """What a command prints; it must succeed."""
        command = [sys.executable, "-m", "services.ops.cli", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A long-running command."""
        command = [sys.executable, "-m", "services.ops.cli", *arguments]
        with (self.folder / f"{'-'.join(arguments[:2])}.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(180)
def test_postgresql_away_for_half_a_minute(
    own_postgres: Postgres, redis_url: str, tmp_path: Path
) -> None:
    ikm = Installation(tmp_path, own_postgres.url, redis_url)
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    ikm.run("migrate")
    ikm.run("apply", str(tmp_path / "registry.yaml"))
    key = ikm.run("key", "create", "loket").split()[-1]
    port = free_port()
    commands = (
        ["serve", "ingest", "--port", str(port)],
        ["worker", "inbox"],
        ["worker", "refresh"],
        ["beat"],
    )
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    receipts: set[str] = set()
    with ExitStack() as stack:
        processes = [stack.enter_context(ikm.running(*command)) for command in commands]
        client = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=5)
        )

        def post() -> bool:
            try:
                answer = client.post(
                    "/v1/submissions", content=submission_json(id=f"away-{len(receipts)}")
                )
            except httpx.TransportError:  # not up yet
                return False
            if answer.status_code == httpx.codes.ACCEPTED:
                receipts.update(answer.json()["receipts"])
            return answer.status_code == httpx.codes.ACCEPTED

        def counted() -> int:
            with engine.connect() as connection:
                return (
                    connection.scalar(sa.select(sa.func.count()).select_from(tables.response)) or 0
                )

        eventually(post, within=30)
        engine = stack.enter_context(opened(own_postgres.url))
        eventually(lambda: counted() == 1, within=30)

        engine.dispose()
        own_postgres.kill()
        gone = time.monotonic()
        while time.monotonic() - gone < AWAY_S:
            assert post(), "PostgreSQL is none of ingest's business"
            time.sleep(0.05)
        own_postgres.start()
        assert len(receipts) > AWAY_S * 5
        eventually(lambda: counted() == len(receipts), within=45)
        assert [process.poll() for process in processes] == [None] * len(commands)
        assert re.search(r"waiting\D+0\b", ikm.run("status", "--json"))
        ikm.run("verify")

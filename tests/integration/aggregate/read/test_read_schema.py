"""The read API does what its OpenAPI document says: schemathesis, all checks, over real HTTP."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvicorn

from services.aggregate.read.app import ReadApi
from shared.storage import tables
from shared.storage.engine import transaction
from tests.integration.aggregate.read.read_service import city, eventually

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))


@pytest.fixture
def address(database_url: str) -> Iterator[str]:
    """The read API on a free port, with an OPD of the code that is the document's example."""
    with city(database_url) as town:
        with transaction(town.engine) as connection:
            connection.execute(sa.insert(tables.opd).values(code="disdukcapil", name="Dinas"))
            connection.execute(
                sa.insert(tables.layanan).values(
                    opd="disdukcapil", code="ktp-el", name="KTP Elektronik"
                )
            )
        town.count("disdukcapil", "ktp-el", "443444433", "33333333-")
        town.refresh()
        app = ReadApi(town.settings(), town.clock)
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on")
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            eventually(lambda: server.started and app.service.current.snapshot is not None)
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_answer_is_as_documented(address: str, tmp_path: Path) -> None:
    command = [
        SCHEMATHESIS,
        "run",
        f"{address}/openapi.json",
        "--checks",
        "all",
        "--max-examples",
        "25",
        # A file to import has query parameters of any length: uvicorn alone, without the edge
        # of `ikm serve`, refuses an address of 64 KiB in words of its own.
        "--exclude-path",
        "/v1/imports",
        "--no-color",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

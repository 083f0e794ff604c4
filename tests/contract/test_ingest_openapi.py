"""The OpenAPI document of ingest against the running service: schemathesis with all of its checks.

What the document allows is accepted, what it forbids is refused, every answer is as documented,
nothing is a 500.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.ops.stack.servers import Redis
from tests.builders import KEY, READ_KEY, authorization
from tests.integration.ingest.ingest_service import serving, tell

HOOKS = Path(__file__).parent
EXAMPLES = 12
SEED = 20260504


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_service_does_what_its_document_says(own_redis: Redis, tmp_path: Path) -> None:
    tell(own_redis.url)
    with serving(own_redis.url) as client:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{client.base_url}/openapi.json"),
            *("--header", f"Authorization: Bearer {KEY}", "--checks", "all", "--no-color"),
            *("--max-examples", str(EXAMPLES), "--seed", str(SEED)),
            # OpenRosa answers in XML of its own: judged case by case, in ingest/tablets.
            *("--exclude-path-regex", "^/v1/key/"),
        ]
        hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_ndjson", "PYTHONPATH": str(HOOKS)}
        finished = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | hooks,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        said = "\n".join(line[:1000] for line in (finished.stdout + finished.stderr).splitlines())
        print(said)
        assert finished.returncode == 0, said
        assert "5 selected / 7 total" in said
        metrics = client.get("/metrics", headers=authorization(READ_KEY)).text
        for outcome in ("accepted", "refused"):
            for form in ("submissions", "events"):
                assert f'format="{form}",outcome="{outcome}"' in metrics, "all of it was exercised"

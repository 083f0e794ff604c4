"""The short form of `make chaos`: every process is killed, some are frozen, nothing is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
KILLS = 12  # each of the six processes twice


@pytest.mark.timeout(400)
def test_what_was_acknowledged_is_counted_once_whatever_is_killed_or_frozen() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.chaos",
        "--kills",
        str(KILLS),
        "--seed",
        "20240524",
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=380, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "every promise held" in done.stdout

"""`ikm up` as a person runs it: a process, its output, its HTTP address; nothing is imported."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

REPOSITORY = Path(__file__).parents[2]
INSTALLED = Path(sys.executable).with_name("ikm")
IKM = [str(INSTALLED)] if INSTALLED.exists() else [sys.executable, "-m", "services.ops.cli"]
START_TIMEOUT_S = 120
T = TypeVar("T")


class Up:
    """One run of `ikm up` on a home."""

    def __init__(self, home: Path, example: str | None = "tanjungpinang") -> None:
        self.home = home
        self.lines: list[str] = []
        command = [
            *IKM,
            "up",
            "--home",
            str(home),
            "--port",
            "0",
            *(["--example", example] if example else []),
        ]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("IKM_")
        }
        self.process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        return state

    def wait_for(self, text: str, timeout: float = START_TIMEOUT_S) -> str:
        """The line of the output that holds the text."""

        def line_with_text() -> str | None:
            match = next((line for line in list(self.lines) if text in line), None)
            assert match or self.process.poll() is None, f"`ikm up` ended:\n{self.output}"
            return match

        return eventually(line_with_text, timeout, lambda: f"{text!r} not in:\n{self.output}")

    def pid(self, name: str) -> int:
        return int(self.state["processes"][name])

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request; (0, reason) when there is no answer."""
        headers = {"content-type": "application/json"}
        if (self.home / "example.key").exists():
            headers["authorization"] = f"Bearer {(self.home / 'example.key').read_text().strip()}"
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = httpx.request(
                method,
                self.state["url"] + path,
                content=content,
                headers=headers,
                timeout=5,
                trust_env=False,
            )
        except httpx.TransportError as error:
            return 0, error
        return answer.status_code, answer.json()

    def respondents(self, opd: str) -> int | None:
        status, index = self.call("GET", f"/v1/opd/{opd}/ikm?window=all")
        return index["respondents"] if status == 200 else None

    def post(self, submission: dict[str, object], timeout: float = 30) -> str:
        """Post until it is accepted, as a sender that honours 503 does; the receipt."""

        def receipt() -> str | None:
            status, answer = self.call("POST", "/v1/submissions", submission)
            assert status in (0, 202, 503), answer
            return answer["receipts"][0] if status == 202 else None

        return eventually(receipt, timeout, lambda: f"not accepted\n{self.output}")

    def interrupt(self, timeout: float = 60) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def _no_more() -> str:
    return "it did not become so"


def eventually(
    condition: Callable[[], T | None], timeout: float = 30, complaint: Callable[[], str] = _no_more
) -> T:
    """What the condition gives as soon as it gives something (neither None, false nor "")."""
    deadline = time.monotonic() + timeout
    while (outcome := condition()) is None or outcome is False or outcome == "":
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.1)
    return outcome

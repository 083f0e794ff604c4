"""A small HTTP client of the service's own API, for the stack that replays an example: standard library only."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from shared.domain.errors import IkmError

_TIMEOUT_S = 10.0
_RETRY_S = 60.0  # how long 503 is taken for "not now"


class Refusal(IkmError):
    """The service refused."""


@dataclass(frozen=True, slots=True)
class Index:
    """What the read API says about an OPD, over all its days."""

    respondents: int
    ikm: Decimal | None
    mutu: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the service is ready; whether all that it lacks may be a registry; its own words."""

    ready: bool
    has_no_registry: bool
    text: str


class Client:
    """Talks to one service."""

    def __init__(self, address: str) -> None:
        self.address = address

    def readiness(self) -> Readiness:
        """What the service says about itself now."""
        # The stack's socket takes the connection before `web` is there to answer it: do not wait
        # long.
        status, answer = self._request("GET", "/readyz", timeout=1)
        try:
            state = json.loads(answer)
        except ValueError:
            state = {}
        has_no_registry = bool(state.get("database")) and state.get("registry") == 0
        text = f"/readyz: {status} {answer.decode(errors='replace')[:500]}"
        return Readiness(status == HTTPStatus.OK, has_no_registry, text)

    def knows(self, key: str) -> bool:
        """Whether the service takes this key (an empty batch is refused, but by another status)."""
        return self._request("POST", "/v1/submissions", key, b"[]")[0] != HTTPStatus.UNAUTHORIZED

    def await_key(self, key: str, timeout: float = 10) -> None:
        """Wait until the service has heard of a new key."""
        deadline = time.monotonic() + timeout
        while not self.knows(key):
            if time.monotonic() >= deadline:
                raise Refusal(f"the new key is still unknown after {timeout:.0f} s")
            time.sleep(0.1)

    def post(self, submission: dict[str, object], key: str) -> None:
        """Post one submission until the service has it; Refusal when it will never take it."""
        body = json.dumps(submission).encode()
        deadline = time.monotonic() + _RETRY_S
        while True:
            status, answer = self._request("POST", "/v1/submissions", key, body)
            if status == HTTPStatus.ACCEPTED:
                return
            if status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() >= deadline:
                raise Refusal(
                    f"POST /v1/submissions: {status} {answer.decode(errors='replace')[:500]}"
                )
            time.sleep(1)

    def index(self, opd: str) -> Index:
        """The index of an OPD now."""
        status, answer = self._request("GET", f"/v1/opd/{opd}/ikm?window=all")
        if status != HTTPStatus.OK:
            raise Refusal(
                f"GET /v1/opd/{opd}/ikm: {status} {answer.decode(errors='replace')[:500]}"
            )
        found: dict[str, Any] = json.loads(answer, parse_float=Decimal)
        ikm = found["ikm"]
        return Index(found["respondents"], None if ikm is None else Decimal(ikm), found["mutu"])

    def index_after(self, opd: str, respondents: int, timeout: float) -> Index:
        """The index of an OPD once that many respondents are counted."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.index(opd)
            if found.respondents >= respondents:
                return found
            if time.monotonic() >= deadline:
                raise Refusal(
                    f"{found.respondents} of {respondents} responses of {opd} counted after {timeout:.0f} s"
                )
            time.sleep(0.02)

    def _request(
        self,
        method: str,
        path: str,
        key: str | None = None,
        body: bytes | None = None,
        timeout: float = _TIMEOUT_S,
    ) -> tuple[int, bytes]:
        headers = {"content-type": "application/json"} if body is not None else {}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.address + path, body, headers, method=method)  # noqa: S310  (ours, http)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310  (ours, http)
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError as error:  # `web` is just starting again
            return HTTPStatus.SERVICE_UNAVAILABLE, str(error).encode()

"""Clients of the service's own API: one that asks, and a sender that posts many submissions at once.

Both take "not now" (503, 429) and an answer that was lost for a reason to send again, ever more
slowly. Repeating is safe: a submission is known by its id.
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Self

import httpx

from shared.domain.errors import IkmError

SUBMISSIONS = "/v1/submissions"
NOT_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
NO_ANSWER = 0  # in place of a status
PATIENCE_S = 60.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_TIMEOUT_S = 10.0
_TRUST_ENV = False  # no proxy: the service is on this machine or in this network

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per request is no news


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
    """What the service says about itself: `state` in its own words (empty: no answer), and as text."""

    ready: bool
    state: Mapping[str, Any]
    text: str

    @property
    def has_no_registry(self) -> bool:
        """Whether all that the service lacks may be a registry."""
        return bool(self.state.get("database")) and self.state.get("registry") == 0


class Client:
    """Asks one service, one request at a time."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, timeout=_TIMEOUT_S, trust_env=_TRUST_ENV)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def readiness(self, timeout_s: float = 1) -> Readiness:
        """Return what the service says about itself now."""
        # The stack's socket takes the connection before `web` is there to answer it: do not wait
        # long.
        try:
            response = self._http.get("/readyz", timeout=timeout_s)
            state = response.json()
        except (httpx.TransportError, ValueError) as error:
            return Readiness(ready=False, state={}, text=str(error))
        if not isinstance(state, dict):
            return Readiness(ready=False, state={}, text="not an answer of this service")
        return Readiness(response.status_code == HTTPStatus.OK, state, _shown(response))

    def knows(self, key: str) -> bool:
        """Whether the service takes this key (an empty batch is refused, but by another status)."""
        return self._submit(b"[]", key).status_code != HTTPStatus.UNAUTHORIZED

    def await_key(self, key: str, timeout_s: float = 10) -> None:
        """Wait until the service has heard of a new key."""
        deadline = time.monotonic() + timeout_s
        while not self.knows(key):
            if time.monotonic() >= deadline:
                raise Refusal(f"the new key is still unknown after {timeout_s:.0f} s")
            time.sleep(0.1)

    def post(self, submission: Mapping[str, object], key: str) -> None:
        """Post one submission until the service has it; Refusal when it will never take it."""
        body = json.dumps(submission).encode()
        response = self._submit(body, key)
        for pause_s in _pauses(PATIENCE_S):
            if response.status_code not in NOT_NOW:
                break
            time.sleep(pause_s)
            response = self._submit(body, key)
        if response.status_code != HTTPStatus.ACCEPTED:
            raise Refusal(f"POST {SUBMISSIONS}: {_shown(response)}")

    def index(self, opd: str) -> Index:
        """Return the index of an OPD now."""
        path = f"/v1/opd/{opd}/ikm"
        response = self._request("GET", path, params={"window": "all"})
        if response.status_code != HTTPStatus.OK:
            raise Refusal(f"GET {path}: {_shown(response)}")
        body: dict[str, Any] = json.loads(response.content, parse_float=Decimal)
        ikm = body["ikm"]
        return Index(body["respondents"], None if ikm is None else Decimal(ikm), body["mutu"])

    def index_after(self, opd: str, respondents: int, timeout_s: float) -> Index:
        """Return the index of an OPD once that many respondents are counted."""
        deadline = time.monotonic() + timeout_s
        while (index := self.index(opd)).respondents < respondents:
            if time.monotonic() >= deadline:
                raise Refusal(
                    f"{index.respondents} of {respondents} responses of {opd} counted "
                    f"after {timeout_s:.0f} s"
                )
            time.sleep(0.02)
        return index

    def _submit(self, body: bytes, key: str) -> httpx.Response:
        return self._request("POST", SUBMISSIONS, content=body, headers=_headers(key))

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 (httpx's own)
        try:
            return self._http.request(method, path, **options)
        except httpx.TransportError as error:  # `web` is just starting again
            return httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service said to a sender; `attempts` counts the requests that it took."""

    status: int
    body: bytes
    attempts: int


class Sender:
    """Posts as a channel does, over at most `connections` connections that stay open."""

    def __init__(
        self, address: str, key: str, *, connections: int = 1, timeout_s: float = _TIMEOUT_S
    ) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._headers = _headers(key)
        self._http = httpx.AsyncClient(
            base_url=address, timeout=timeout_s, limits=limits, trust_env=_TRUST_ENV
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()

    async def post(
        self, body: bytes, *, media_type: str = "application/json", patience_s: float = PATIENCE_S
    ) -> Reply:
        """POST until the answer is neither "not now" nor lost, or `patience_s` seconds are over.

        The status NO_ANSWER stands for the latter.
        """
        attempts = 1
        status, content = await self._submit(body, media_type)
        for pause_s in _pauses(patience_s):
            if status != NO_ANSWER and status not in NOT_NOW:
                break
            await asyncio.sleep(pause_s)
            attempts += 1
            status, content = await self._submit(body, media_type)
        return Reply(status, content, attempts)

    async def _submit(self, body: bytes, media_type: str) -> tuple[int, bytes]:
        headers = {**self._headers, "content-type": media_type}
        try:
            response = await self._http.post(SUBMISSIONS, content=body, headers=headers)
        except httpx.TransportError:
            return NO_ANSWER, b""
        return response.status_code, response.content


def _pauses(patience_s: float) -> Iterator[float]:
    """The seconds to wait before each further try, ever longer, until the patience is over."""
    deadline = time.monotonic() + patience_s
    pause_s = _FIRST_PAUSE_S
    while time.monotonic() + pause_s <= deadline:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _headers(key: str) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": f"Bearer {key}"}


def _shown(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text[:500]}"

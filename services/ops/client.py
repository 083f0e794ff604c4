"""The client of the service's own API: for the stack, `ikm status`, the simulator and benchmarks.

It takes "not now" (503, 429) and an answer that was lost for a reason to post again, ever more
slowly. Repeating is safe: a submission is known by its id. One thread, one client: httpx's
asynchronous client costs 2.8 ms of CPU a request where this one costs 1.4 (see docs/decisions).
"""

import functools
import json
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Self

import httpx

from shared.domain.errors import IkmError

SUBMISSIONS = "/v1/submissions"
_INDEX = "/v1/ikm"
NO_ANSWER = 0  # in place of a status
NOT_NOW = frozenset({NO_ANSWER, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# Many requests with an unknown key are slowed.
_UNKNOWN_KEY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})
PATIENCE_S = 60.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_TIMEOUT_S = 10.0

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per request is no news


class RequestRefused(IkmError):
    """The service refused."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What the service said, or why it said nothing; `attempts` counts the requests it took."""

    status: int
    body: bytes
    attempts: int = 1

    def __str__(self) -> str:
        text = self.body.decode(errors="replace")[:500]
        return text if self.status == NO_ANSWER else f"{self.status} {text}"


@dataclass(frozen=True, slots=True)
class OpdReading:
    """What the read API says about an OPD, over all its days."""

    respondents: int
    ikm: Decimal | None
    mutu: str | None


@dataclass(frozen=True, slots=True)
class ServiceReadiness:
    """What the service says about itself, in its own words (none: no answer) and as text."""

    ready: bool
    state: Mapping[str, Any]
    text: str

    @property
    def has_no_registry(self) -> bool:
        """Whether all that the service lacks may be a registry."""
        return bool(self.state.get("database")) and self.state.get("registry") == 0


class Client:
    """Asks one service, one request at a time, over a connection that stays open."""

    def __init__(self, address: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self.address = address
        # No proxy: the service is on this machine or in this network.
        self._http = httpx.Client(
            base_url=address, timeout=timeout_s, trust_env=False, verify=_certificates()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(
        self, path: str, key: str | None = None, *, timeout_s: float | None = None
    ) -> ServiceAnswer:
        """GET a path, with a key or as anybody."""
        options: dict[str, Any] = {} if timeout_s is None else {"timeout": timeout_s}
        if key is not None:
            options["headers"] = _authorization(key)
        return self._request("GET", path, **options)

    def readiness(self, timeout_s: float = 1) -> ServiceReadiness:
        """Return what the service says about itself now."""
        # The stack's socket takes the connection before `web` is there to answer it: do not wait
        # long.
        answer = self.get("/readyz", timeout_s=timeout_s)
        try:
            state = json.loads(answer.body)
        except ValueError:
            state = {}
        is_ready = answer.status == HTTPStatus.OK
        return ServiceReadiness(is_ready, state if isinstance(state, dict) else {}, str(answer))

    def knows(self, key: str) -> bool:
        """Whether both services take this key; neither of these requests changes anything."""
        answers = (self._submit(b"[]", key), self.get(_INDEX, key))
        return all(answer.status not in _UNKNOWN_KEY for answer in answers)

    def may_do_both(self, key: str, opd: str) -> bool:
        """Whether a key may submit, and read the live figures of an OPD."""
        refusals = {*_UNKNOWN_KEY, HTTPStatus.FORBIDDEN}
        answers = (self._submit(b"[]", key), self.get(_live_index(opd), key))
        return all(answer.status not in refusals for answer in answers)

    def await_key(self, key: str, timeout_s: float = 10) -> None:
        """Wait until both services have heard of a new key."""
        deadline = time.monotonic() + timeout_s
        while not self.knows(key):
            if time.monotonic() >= deadline:
                raise RequestRefused(f"the new key is still unknown after {timeout_s:.0f} s")
            time.sleep(0.1)

    def submit(
        self,
        body: bytes,
        key: str,
        *,
        media_type: str = "application/json",
        patience_s: float = PATIENCE_S,
    ) -> ServiceAnswer:
        """Post until the answer is neither "not now" nor lost; the last one when patience ends."""
        answer = self._submit(body, key, media_type)
        attempts = 1
        for pause_s in _pauses(patience_s):
            if answer.status not in NOT_NOW:
                break
            time.sleep(pause_s)
            answer = self._submit(body, key, media_type)
            attempts += 1
        return replace(answer, attempts=attempts)

    def post(self, submission: Mapping[str, object], key: str) -> None:
        """Post one submission until the service has it; Refusal when it will never take it."""
        answer = self.submit(json.dumps(submission).encode(), key)
        if answer.status != HTTPStatus.ACCEPTED:
            raise RequestRefused(f"POST {SUBMISSIONS}: {answer}")

    def index(self, opd: str, key: str) -> OpdReading:
        """Return the live index of an OPD now, by a key that may read it."""
        path = f"/v1/opd/{opd}/ikm"
        answer = self.get(f"{path}?window=all", key)
        if answer.status != HTTPStatus.OK:
            raise RequestRefused(f"GET {path}: {answer}")
        document: dict[str, Any] = json.loads(answer.body, parse_float=Decimal)
        ikm = document["ikm"]
        exact_ikm = None if ikm is None else Decimal(ikm)
        return OpdReading(document["respondents"], exact_ikm, document["mutu"])

    def index_after(self, opd: str, key: str, respondents: int, timeout_s: float) -> OpdReading:
        """Return the live index of an OPD once that many respondents are counted."""
        deadline = time.monotonic() + timeout_s
        while (index := self.index(opd, key)).respondents < respondents:
            if time.monotonic() >= deadline:
                raise RequestRefused(
                    f"{index.respondents} of {respondents} responses of {opd} counted "
                    f"after {timeout_s:.0f} s"
                )
            time.sleep(0.02)
        return index

    def _submit(self, body: bytes, key: str, media_type: str = "application/json") -> ServiceAnswer:
        headers = {**_authorization(key), "content-type": media_type}
        return self._request("POST", SUBMISSIONS, content=body, headers=headers)

    # The options are httpx's own.
    def _request(self, method: str, path: str, **options: Any) -> ServiceAnswer:  # noqa: ANN401
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:  # such as while `web` is starting again
            return ServiceAnswer(NO_ANSWER, f"no answer: {error}".encode())
        return ServiceAnswer(response.status_code, response.content)


def _authorization(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _live_index(opd: str) -> str:
    """Return a path that only a key that may read this OPD gets an answer from."""
    return f"/v1/opd/{opd}/ikm?window=today"


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Load the certificates of authorities once: it takes longer than a request."""
    return httpx.create_ssl_context()


def _pauses(patience_s: float) -> Iterator[float]:
    """Yield the seconds to wait before each further try, ever longer, until patience ends."""
    deadline = time.monotonic() + patience_s
    pause_s = _FIRST_PAUSE_S
    while time.monotonic() + pause_s <= deadline:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

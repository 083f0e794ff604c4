"""Whose a request is: the key in its Authorization header, looked up in the registry in memory."""

import hashlib
from typing import Final

from shared.problems import Refused, problem
from shared.registry.snapshot import AccessKey, Registry

_BEARER: Final = b"bearer "
_MISSING: Final = problem("unauthorized", "send Authorization: Bearer <key>").with_headers(
    www_authenticate="Bearer"
)
_UNKNOWN: Final = problem("unauthorized", "this key is not known or was revoked").with_headers(
    www_authenticate='Bearer error="invalid_token"'
)


class KeyRefused(Refused):
    """The key of the request is not known; `digest` is its SHA-256."""

    def __init__(self, digest: str) -> None:
        super().__init__(_UNKNOWN)
        self.digest = digest


def sent_key(registry: Registry, authorization: bytes | None) -> AccessKey:
    """Return the key that an Authorization header names.

    Raises Refused (401) without one or for another scheme, KeyRefused for one that the registry
    lacks.
    """
    if authorization is None or authorization[: len(_BEARER)].lower() != _BEARER:
        raise Refused(_MISSING)
    # Keys are long and random: a plain SHA-256 is enough, and a lookup by it leaks nothing of the
    # key by its timing.
    token = authorization[len(_BEARER) :].strip()
    digest = hashlib.sha256(token).hexdigest()
    key = registry.keys.get(digest)
    if key is None:
        raise KeyRefused(digest)
    return key


def demand_metrics(registry: Registry, authorization: str | None, *, is_open: bool) -> None:
    """Raise Refused unless metrics are open, or the key may read the figures of all OPDs.

    They count single submissions: whoever polls them sees each one arrive.
    """
    if is_open:
        return
    header = None if authorization is None else authorization.encode("latin-1")
    if not sent_key(registry, header).reads_all:
        raise Refused(problem("forbidden", "metrics need a key that may read all OPDs"))

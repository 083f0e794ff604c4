"""Which view of the figures a request gets: by its key, and inside the scope of that key."""

from typing import Final, Literal

from shared.domain.window import Window, is_public
from shared.problems import Refused, problem
from shared.registry.access import sent_key
from shared.registry.snapshot import AccessKey, Registry

MOST_HEADERS: Final = 10_000
LONGEST_HEADER: Final = 128  # characters; a key has 47

View = Literal["internal", "public"]
INTERNAL: Final = "internal"
PUBLIC: Final = "public"

_WHY: Final = (
    "Without a key the public figures are answered. They are released in steps of five or more "
    "respondents, so that nobody's answers can be worked out"
)
_PUBLIC_WINDOWS: Final = (
    "a month (2026-05), triwulan (2026-Q2), semester (2026-S1), year (2026), 3m, 12m or all"
)
_HOW: Final = "A key comes from the ops team: ikm key create NAME --read; send it as Authorization"


class SentKeys:
    """Remembers whose a header is, for one registry: most requests repeat one.

    Known keys alone are remembered, and not more than MOST_HEADERS spellings of them: to hash a key
    anew for every request took a tenth of an answer from memory.
    """

    def __init__(self) -> None:
        self._registry = Registry.empty()
        self._keys: dict[bytes, AccessKey] = {}

    def key_of(self, registry: Registry, authorization: bytes | None) -> AccessKey | None:
        """Return the key of a request; None when it sent none.

        Raises Refused (401) for one that is unknown, revoked or unreadable: whoever sends a key
        expects live figures, and must not take public ones for them.
        """
        if authorization is None:
            return None
        if registry is not self._registry:
            self._registry, self._keys = registry, {}
        key = self._keys.get(authorization)
        if key is None:
            key = sent_key(registry, authorization)
            if len(self._keys) < MOST_HEADERS and len(authorization) <= LONGEST_HEADER:
                self._keys[authorization] = key
        return key


def view_of(key: AccessKey | None, opd: str | None) -> View:
    """Return the view that a key gives on an OPD, or (None) on the instansi and all its OPDs."""
    if key is None:
        return PUBLIC
    return INTERNAL if (key.reads_all if opd is None else key.reads(opd)) else PUBLIC


def not_public(key: AccessKey | None, asked: str, instead: str) -> Refused:
    """Return the refusal of what the public view does not have.

    `asked` is what was asked for, `instead` what is public in its place. Without a key it is a 401
    that says how to get one; with one that does not reach so far, a 403.
    """
    if key is None:
        detail = f"{asked} needs a key that may read. {_WHY}. Public: {instead}. {_HOW}"
        return Refused(problem("read-key-needed", detail).with_headers(www_authenticate="Bearer"))
    if not key.may_read:
        reach = "this key may submit, not read"
    else:
        reach = f"this key may read the live figures of {', '.join(sorted(key.opd or ()))} only"
    return Refused(problem("forbidden", f"{asked}: {reach}. Public: {instead}"))


def demand_public_window(key: AccessKey | None, window: Window) -> None:
    """Raise Refused for a window that the public view does not have."""
    if not is_public(window.name):
        raise not_public(key, f"window={window.name}", f"window={_PUBLIC_WINDOWS}")

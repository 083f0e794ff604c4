"""A complete answer to a read: body, ETag and headers are made once and sent many times."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from starlette.types import Send

JSON: Final = b"application/json"
HTML: Final = b"text/html; charset=utf-8"
CSS: Final = b"text/css; charset=utf-8"
JAVASCRIPT: Final = b"text/javascript; charset=utf-8"
# Ask again every time: a figure is current within a second, and asking costs a 304. What a key gave
# is for its holder: no shared cache may keep it.
_PUBLIC: Final = (b"cache-control", b"public, no-cache")
_PRIVATE: Final = (b"cache-control", b"private, no-cache")
_VARY: Final = (b"vary", b"authorization")

Headers = list[tuple[bytes, bytes]]


class AnswerKey(NamedTuple):
    """What was asked for, as it was understood: other spellings of a question are the same one."""

    path: str  # as the route is written: /v1/opd/{opd}/ikm
    opd: str
    layanan: str
    window: str


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """What is sent for 200, and what of it for 304.

    `tag` is the opaque part of the ETag, with its quotes.
    """

    body: bytes
    tag: bytes
    headers: Headers
    headers_unchanged: Headers

    @classmethod
    def of(
        cls,
        body: bytes,
        media_type: bytes = JSON,
        more_headers: Iterable[tuple[bytes, bytes]] = (),
        *,
        is_private: bool = False,
    ) -> Self:
        """Prepare the answer with a body. The same body has the same ETag, in every process."""
        tag = b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
        # Weak: a proxy may compress the body.
        unchanged = [(b"etag", b"W/" + tag), _PRIVATE if is_private else _PUBLIC, _VARY]
        length = str(len(body)).encode()
        of_body = [
            (b"content-type", media_type),
            (b"content-length", length),
        ]
        return cls(body, tag, [*of_body, *unchanged, *more_headers], unchanged)

    async def send(
        self, method: str, request_headers: Iterable[tuple[bytes, bytes]], send: Send
    ) -> None:
        """Answer a GET or HEAD with these request headers."""
        for name, value in request_headers:
            if name == b"if-none-match" and self.matches(value):
                await _send(send, 304, self.headers_unchanged, b"")
                return
        await _send(send, 200, self.headers, b"" if method == "HEAD" else self.body)

    def matches(self, condition: bytes) -> bool:
        """Return whether If-None-Match names this answer: `*`, or a tag of its list.

        Tags are compared weakly (RFC 9110, 13.1.2). A tag of this service holds no comma and no
        space, so a list can be cut at its commas: what else is in it is none of them.
        """
        return any(
            tag.strip(b" \t").removeprefix(b"W/") in {self.tag, b"*"}
            for tag in condition.split(b",")
        )


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""The problems of both services (RFC 9457): one table, and the one writer of their wire form.

`problem("not-found", "no OPD has this code")` is the whole answer: status, headers, body. It is an
ASGI application itself, can be raised inside `Refused`, and says only what its caller wrote: no
traceback and no internal name gets in.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import msgspec

from shared.domain.errors import IkmError
from shared.domain.violation import Violation

MEDIA_TYPE: Final = "application/problem+json"
# resolved by the caller against the service: a page that explains each of them
TYPE_BASE: Final = "/docs/problems#"

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem, named in English and Indonesian.

    With `retry_after_s` the same request may succeed later: it is worth repeating.
    """

    status: int
    title: str
    judul: str
    retry_after_s: int | None = None


KINDS: Final[Mapping[str, ProblemKind]] = {
    "malformed-json": ProblemKind(400, "The body is not JSON", "Isi permintaan bukan JSON"),
    "malformed-request": ProblemKind(
        400, "The request cannot be read", "Permintaan tidak dapat dibaca"
    ),
    "unauthorized": ProblemKind(401, "A valid key is needed", "Diperlukan kunci yang berlaku"),
    "read-key-needed": ProblemKind(
        401, "This needs a key that may read", "Diperlukan kunci baca untuk angka ini"
    ),
    "forbidden": ProblemKind(403, "This key may not do that", "Kunci ini tidak berwenang"),
    "not-found": ProblemKind(404, "Not found", "Tidak ditemukan"),
    "method-not-allowed": ProblemKind(
        405, "Method not allowed here", "Metode tidak diizinkan di sini"
    ),
    "request-timeout": ProblemKind(
        408, "The request took too long to arrive", "Permintaan terlalu lama diterima"
    ),
    "contradictory-parameters": ProblemKind(
        409, "Parameters contradict each other", "Parameter saling bertentangan"
    ),
    "too-large": ProblemKind(
        413, "The body or batch is too large", "Isi atau jumlah kiriman terlalu besar"
    ),
    "unsupported-media-type": ProblemKind(
        415, "Unsupported media type", "Jenis isi tidak didukung"
    ),
    "invalid-submission": ProblemKind(422, "The submission is not valid", "Isian survei tidak sah"),
    "invalid-parameter": ProblemKind(422, "A parameter is not valid", "Parameter tidak sah"),
    "too-many-requests": ProblemKind(
        429, "Too many refused requests from this address", "Terlalu banyak permintaan ditolak"
    ),
    "headers-too-large": ProblemKind(
        431, "The headers are too large", "Header permintaan terlalu besar"
    ),
    "internal-error": ProblemKind(500, "The service failed", "Layanan mengalami kegagalan"),
    "inbox-unavailable": ProblemKind(
        503, "The inbox cannot store now", "Kotak masuk sedang tidak dapat menyimpan", 2
    ),
    "inbox-full": ProblemKind(503, "The inbox is full", "Kotak masuk penuh", retry_after_s=10),
    "database-unavailable": ProblemKind(
        503, "The figures cannot be read now", "Angka sedang tidak dapat dibaca", 2
    ),
    "imports-full": ProblemKind(
        503, "Too many files wait to be imported", "Terlalu banyak berkas menunggu impor", 60
    ),
    "too-busy": ProblemKind(
        503, "Too many connections are open", "Terlalu banyak koneksi terbuka", 2
    ),
    "starting": ProblemKind(
        503, "The service is starting", "Layanan sedang disiapkan", retry_after_s=1
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that refuses: complete, immutable, ready to send. Header names are lower case."""

    code: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def plain_headers(self) -> dict[str, str]:
        """The headers as text, for frameworks that want them so."""
        return {name.decode(): value.decode() for name, value in self.headers}

    def with_headers(self, **headers: str) -> Self:
        """Return the problem with these headers added or replaced; `_` in a name stands for `-`."""
        added = {
            name.replace("_", "-").lower().encode(): value.encode("latin-1")
            for name, value in headers.items()
        }
        kept = tuple(header for header in self.headers if header[0] not in added)
        return replace(self, headers=(*kept, *added.items()))

    async def __call__(self, scope: MutableMapping[str, Any], _receive: object, send: Send) -> None:
        """Answer one HTTP request, as an ASGI application; HEAD gets no body."""
        body = b"" if scope.get("method") == "HEAD" else self.body
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": body})


class Refused(IkmError):
    """The request was refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def problem(code: str, detail: str | None = None, **extensions: object) -> Problem:
    """Return the problem of a kind in KINDS (KeyError for another).

    `detail` says what is wrong with this request; extensions are members of their own, as
    `errors=[Violation(…)]`. A 503 carries Retry-After.
    """
    kind = KINDS[code]
    members: dict[str, object] = {
        "type": TYPE_BASE + code,
        "title": kind.title,
        "judul": kind.judul,
        "status": kind.status,
        "code": code,
    }
    if detail is not None:
        members["detail"] = detail
    body = _json(members | extensions)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if kind.retry_after_s is not None:
        headers.append((b"retry-after", str(kind.retry_after_s).encode()))
    return Problem(code, kind.status, tuple(headers), body)


def query_violation(parameter: str, code: str, detail: str) -> Violation:
    """Return the violation of a query parameter, at /query/<its name>."""
    return Violation(f"/query/{parameter}", code, detail)


def _json(members: Mapping[str, object]) -> bytes:
    try:
        return msgspec.json.encode(members)
    except UnicodeEncodeError:
        # A pointer may quote a name that holds a lone surrogate, which JSON text cannot.
        text = json.dumps(msgspec.to_builtins(members), ensure_ascii=False)
        return text.encode("utf-8", "replace")

"""What a wire format is: a frozen record, and the values that pass through it.

Those are msgspec structs, as are all values that are made for every request: a third of a named
tuple's time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from msgspec import Struct

from services.ingest.replies import Accepted
from shared.domain.errors import IkmError
from shared.domain.violation import Violation
from shared.problems import Problem
from shared.registry.snapshot import Channel, Registry

MIB = 1024 * 1024
SINGLE_MAX_BYTES = MIB
BATCH_MAX_BYTES = 10 * MIB
BATCH_MAX_ITEMS = 10_000

_NOBODY: Final = Channel("", "")
_NOTHING: Final = Registry.empty()


class Unreadable(IkmError):
    """The request as a whole cannot be read in this format."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code  # of the catalogue shared.problems
        self.detail = detail


class Request(Struct, frozen=True, gc=False):
    """An HTTP request as a format sees it.

    `media_type` is lower case, without parameters; header names are lower case, too. `parameters`
    are those of the path; `query` is as it was sent. While it is asked who sends it, the body is
    empty and the channel nobody's.
    """

    media_type: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    parameters: Mapping[str, str] = {}
    query: bytes = b""
    channel: Channel = _NOBODY
    registry: Registry = _NOTHING

    def header(self, name: bytes) -> str | None:
        """Return the header of that (lower case) name."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Item(Struct, frozen=True, gc=False):
    """One submission on its way in: its JSON, and its envelope's id, which precedes the one inside.

    `violations` are those of the envelope; `pointer` is where in the request the submission lies.
    Without a readable envelope the body is empty. `ticket` is the code that came with it, as it was
    typed or scanned; a batch carries none.
    """

    body: bytes
    source_id: str | None = None
    violations: Sequence[Violation] = ()
    pointer: str = ""
    ticket: str | None = None


class Parsed(Struct, frozen=True, gc=False):
    """What a request holds. In a batch, errors carry the index of their item."""

    items: Sequence[Item]
    is_batch: bool


class Reply(Struct, frozen=True, gc=False):
    """What is answered where the sender's program expects something of its own."""

    status: int
    media_type: bytes
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write submissions.

    `path` may hold parameters in braces, as the routes of Starlette do.

    `parse` raises Unreadable; what is wrong with one item is a violation of that item.

    `identify` says who sends, before the body is read (senders.py); None: whose key the header
    Authorization holds. `verify` raises Refused unless the body was sent by that channel: for
    those who sign what they send.

    `reply` renders what was accepted, or the problem; None: JSON, and problem+json.
    """

    name: str
    path: str
    parse: Callable[[Request], Parsed]
    identify: Callable[[Request, date], Channel] | None = None
    verify: Callable[[Request], None] | None = None
    reply: Callable[[Request, Accepted | Problem], Reply] | None = None

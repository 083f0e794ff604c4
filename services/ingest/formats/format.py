"""What a wire format is: a frozen record, and the values that pass through it.

Those are msgspec structs, as are all values that are made for every request: a third of a named
tuple's time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from shared.domain.errors import IkmError
from shared.domain.violation import Violation

MIB = 1024 * 1024
SINGLE_MAX_BYTES = MIB
BATCH_MAX_BYTES = 10 * MIB
BATCH_MAX_ITEMS = 10_000


class Unreadable(IkmError):
    """The request as a whole cannot be read in this format."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code  # of the catalogue shared.problems
        self.detail = detail


class Request(Struct, frozen=True, gc=False):
    """An HTTP request as a format sees it.

    `media_type` is lower case, without parameters; header names are lower case, too.
    """

    media_type: bytes
    headers: Mapping[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Return the header of that (lower case) name."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Item(Struct, frozen=True, gc=False):
    """One submission on its way in: its JSON, and its envelope's id, which precedes the one inside.

    `violations` are those of the envelope; `pointer` is where in the request the submission lies.
    Without a readable envelope the body is empty.
    """

    body: bytes
    source_id: str | None = None
    violations: Sequence[Violation] = ()
    pointer: str = ""


class Parsed(Struct, frozen=True, gc=False):
    """What a request holds. In a batch, errors carry the index of their item."""

    items: Sequence[Item]
    is_batch: bool


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write submissions.

    `parse` raises Unreadable; what is wrong with one item is a violation of that item.
    """

    name: str
    path: str
    parse: Callable[[Request], Parsed]

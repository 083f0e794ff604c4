"""A message as a chat service delivers it, and careful ways to look into what it sends."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from services.ingest.chats.state import FilledFlow, Message

_SECONDS_MAX: Final = 9_999_999_999  # the year 2286
_TEXT_MAX: Final = 4096  # of one message, of every service


class NotReadable(Exception):
    """The body is not what this service sends."""


class Incoming(msgspec.Struct, frozen=True):
    """A message; `sender` is a number or an address, which goes into no log and no store.

    `number` is the service's own of the message; `chat` is where answers go.
    """

    sender: str
    number: str
    text: str = ""
    choice: str | None = None
    flow: FilledFlow | None = None
    sent_at: str | None = None
    query: str | None = None  # of Telegram: the tap that waits for its confirmation


def decoded(body: bytes | str) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return a JSON document; NotReadable for anything else."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise NotReadable from None


def inside(document: object, *path: str) -> object:
    """Return what lies inside objects under these names; None when it does not."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def listed(document: object, *path: str) -> Sequence[object]:
    """Return the list that lies inside; an empty one when there is none."""
    value = inside(document, *path)
    return value if isinstance(value, list) else ()


def text_inside(document: object, *path: str) -> str:
    """Return the text that lies inside, or a number as text; empty when there is neither."""
    value = inside(document, *path)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 1 << 63 else ""
    return value if isinstance(value, str) else ""


def instant_of(seconds: str) -> str | None:
    """Return the RFC 3339 form of a UNIX time in seconds; None when it is none."""
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > len(str(_SECONDS_MAX)):
        return None
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def plain(message: Message) -> str:
    """Return a message as text alone, its choices numbered."""
    choices = [f"{number}. {choice.title}" for number, choice in enumerate(message.choices, 1)]
    return "\n".join((message.text, *choices))[:_TEXT_MAX]

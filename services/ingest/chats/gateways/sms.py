"""SMS gateways over HTTP: a form or JSON in, under names of the channel's settings; text out."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from services.ingest.chats.gateways.incoming import (
    Incoming,
    NotReadable,
    decoded,
    instant_of,
    plain,
    text_inside,
)
from services.ingest.chats.state import Message

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 100
_SHORT_WORDS: Final = 3  # SKM, layanan, digits: a whole survey in one message


def is_secret(sent: str, secret: str) -> bool:
    """Whether the gateway sent its token."""
    return hmac.compare_digest(sent.encode("latin-1", "replace"), secret.encode())


def message(
    body: bytes, media_type: str, settings: Mapping[str, Any], *, day: str, fallback: str
) -> Incoming:
    """Return the message; NotReadable when it has no sender, or is of another type.

    A gateway that gives its messages no number repeats them under `fallback`; but a whole survey
    in one message counts once a day for its sender.
    """
    fields = _fields(body, media_type)
    names = {name: str(settings.get(name, name)) for name in ("from", "text", "id", "time")}
    sender, text = text_inside(fields, names["from"]), text_inside(fields, names["text"])
    if not sender:
        raise NotReadable
    number = text_inside(fields, names["id"])
    if not number:
        is_whole = len(text.split()) >= _SHORT_WORDS
        number = f"{day} {text.lower()}" if is_whole else fallback
    return Incoming(sender, number, text, sent_at=instant_of(text_inside(fields, names["time"])))


def answer(messages: Sequence[Message]) -> str:
    """Return what the gateway sends back, as text."""
    return "\n".join(map(plain, messages))


def _fields(body: bytes, media_type: str) -> object:
    if media_type == JSON:
        return decoded(body)
    if media_type != FORM:
        raise NotReadable
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_FIELDS_MAX))
    except ValueError:  # too many fields, or no UTF-8
        raise NotReadable from None

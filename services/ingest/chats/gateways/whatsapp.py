"""WhatsApp Cloud API: signed batches of messages in, lists and buttons out."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.ingest.chats.gateways.incoming import (
    Incoming,
    decoded,
    inside,
    instant_of,
    listed,
    plain,
    text_inside,
)
from services.ingest.chats.state import Choice, FilledFlow, Message

SIGNATURE: Final = "x-hub-signature-256"
_PREFIX: Final = "sha256="
_TITLE_MAX: Final = 24
_BUTTON_MAX: Final = 20
_DESCRIPTION_MAX: Final = 72
_BODY_MAX: Final = 1024
_ROWS_MAX: Final = 10


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether a body carries the signature of the app's secret, over the bytes as they came."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return hmac.compare_digest((_PREFIX + mac).encode(), signature.lower().encode("latin-1"))


def messages(body: bytes, phone_number_id: str) -> list[Incoming]:
    """Return the messages of a delivery to this number, oldest first; NotReadable for no JSON.

    What else is told (that a message was read, a picture came) is nothing to answer.
    """
    incoming = [
        message
        for entry in listed(decoded(body), "entry")
        for change in listed(entry, "changes")
        if text_inside(change, "value", "metadata", "phone_number_id") == phone_number_id
        for message in _messages(inside(change, "value"))
    ]
    return sorted(incoming, key=lambda message: message.sent_at or "")


def sending(recipient: str, message: Message) -> dict[str, Any]:
    """Return the body that sends a message: with a list, with a button, or as text."""
    envelope = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": recipient,
    }
    text = message.text[:_BODY_MAX]
    if message.choices:
        rows = [_row(choice, number) for number, choice in enumerate(message.choices, 1)]
        if message.skip is not None:
            rows.append(_row(message.skip, 0))
        action = {"button": "Pilih / choose", "sections": [{"rows": rows[:_ROWS_MAX]}]}
        return envelope | _interactive("list", text, action)
    if message.skip is not None:
        reply = {"id": message.skip.id, "title": message.skip.title[:_BUTTON_MAX]}
        return envelope | _interactive(
            "button", text, {"buttons": [{"type": "reply", "reply": reply}]}
        )
    return envelope | {"type": "text", "text": {"body": plain(message)}}


def _messages(value: object) -> Iterator[Incoming]:
    for message in listed(value, "messages"):
        sender, number = text_inside(message, "from"), text_inside(message, "id")
        if not sender or not number:
            continue
        told = _told(message)
        if told:
            sent_at = instant_of(text_inside(message, "timestamp"))
            yield Incoming(sender, number, sent_at=sent_at, **told)


def _told(message: object) -> Mapping[str, Any]:
    """Return what a message says: words, a choice, or a filled form; empty for anything else."""
    match text_inside(message, "type"):
        case "text":
            return {"text": text_inside(message, "text", "body")}
        case "button":  # of a template: its payload is a start word
            payload = text_inside(message, "button", "payload")
            return {"text": payload or text_inside(message, "button", "text")}
        case "interactive":
            return _interaction(inside(message, "interactive"))
        case _:
            return {}


def _interaction(interactive: object) -> Mapping[str, Any]:
    kind = text_inside(interactive, "type")
    if kind in {"button_reply", "list_reply"}:
        return {"choice": text_inside(interactive, kind, "id")}
    if kind == "nfm_reply":
        flow = _flow(text_inside(interactive, kind, "response_json"))
        return {"flow": flow} if flow else {}
    return {}


def _flow(response: str) -> FilledFlow | None:
    """Return a filled form; its token says opd/layanan/session, for nothing else does."""
    fields = decoded(response) if response else None
    if not isinstance(fields, dict):
        return None
    opd, _, rest = text_inside(fields, "flow_token").partition("/")
    layanan, _, session = rest.partition("/")
    return FilledFlow(opd, layanan, session or None, fields)


def _row(choice: Choice, number: int) -> dict[str, str]:
    numbered = f"{number}. {choice.title}" if number else choice.title
    row = {"id": choice.id, "title": numbered[:_TITLE_MAX]}
    if len(numbered) > _TITLE_MAX:
        row["description"] = choice.title[:_DESCRIPTION_MAX]
    return row


def _interactive(kind: str, text: str, action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": text}, "action": action},
    }

"""Telegram: updates in; the answer to a webhook is the next message itself."""

import hmac
from collections.abc import Sequence
from typing import Any, Final

from services.ingest.chats.gateways.incoming import (
    Incoming,
    decoded,
    inside,
    instant_of,
    text_inside,
)
from services.ingest.chats.state import Message

SECRET: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
_PRIVATE: Final = "private"
_TEXT_MAX: Final = 4096


def is_secret(sent: str, secret: str) -> bool:
    """Whether the secret of the webhook came with it."""
    return hmac.compare_digest(sent.encode("latin-1", "replace"), secret.encode())


def update(body: bytes) -> Incoming | None:
    """Return what a person sent; None for what is nothing to answer, as all that groups say."""
    document = decoded(body)
    number = text_inside(document, "update_id")
    tap = inside(document, "callback_query")
    message = inside(tap, "message") if tap else inside(document, "message")
    chat = text_inside(message, "chat", "id")
    if not number or not chat or text_inside(message, "chat", "type") != _PRIVATE:
        return None
    if tap:
        choice, query = text_inside(tap, "data"), text_inside(tap, "id")
        return Incoming(chat, number, choice=choice, query=query or None)
    text = text_inside(message, "text")
    if not text:
        return None
    return Incoming(chat, number, text, sent_at=instant_of(text_inside(message, "date")))


def answer(chat: str, messages: Sequence[Message]) -> dict[str, Any]:
    """Return the call that the answer to the webhook makes; empty for nothing to say."""
    if not messages:
        return {}
    called: dict[str, Any] = {
        "method": "sendMessage",
        "chat_id": int(chat) if chat.removeprefix("-").isdecimal() else chat,
        "text": "\n\n".join(message.text for message in messages)[:_TEXT_MAX],
    }
    choices = [choice for message in messages for choice in (*message.choices, message.skip)]
    keyboard = [
        [{"text": choice.title, "callback_data": choice.id}] for choice in choices if choice
    ]
    if keyboard:
        called["reply_markup"] = {"inline_keyboard": keyboard}
    return called

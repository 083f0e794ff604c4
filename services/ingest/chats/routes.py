"""Where chat services deliver: WhatsApp, Telegram, SMS gateways; who is no channel's is refused.

The routes read the state of the application that they belong to: `watch`, `acceptance`,
`conversations` and `outgoing`.
"""

import hmac
import logging
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.requests import Request

from services.ingest import body as bodies
from services.ingest.acceptance import Acceptance
from services.ingest.chats.catalogue import Catalogue
from services.ingest.chats.conversations import Conversations, Hashed
from services.ingest.chats.gateways import sms, telegram, whatsapp
from services.ingest.chats.gateways.incoming import Incoming, NotReadable
from services.ingest.chats.gateways.outgoing import Call, Outgoing
from services.ingest.chats.state import Filled, Message
from services.ingest.formats.format import Item, Parsed
from services.ingest.watch import Watch
from shared.problems import Refused, problem
from shared.registry.snapshot import Channel

log = logging.getLogger(__name__)

WHATSAPP_API: Final = "https://graph.facebook.com/v23.0"
TELEGRAM_API: Final = "https://api.telegram.org"
_NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_NO_CHANNEL: Final = problem("not-found", "there is no open channel of this name for this path")
_UNSIGNED: Final = problem("forbidden", "the signature or the secret is not that of this channel")
_UNREADABLE: Final = problem("malformed-request", "this is not what the service sends")

router = APIRouter(prefix="/v1", include_in_schema=False)


@router.get("/whatsapp/{name}")
async def verify_whatsapp(name: str, request: Request) -> Response:
    """Answer Meta's question whether this address is meant: its challenge, for the right token."""
    channel = _catalogue(request, "whatsapp", name).channel
    query = request.query_params
    sent, token = query.get("hub.verify_token", ""), channel.secrets.get("verify_token", "")
    is_meant = token and hmac.compare_digest(sent.encode("utf-8", "replace"), token.encode())
    if not is_meant or query.get("hub.mode") != "subscribe":
        raise Refused(_UNSIGNED)
    return PlainTextResponse(query.get("hub.challenge", ""), headers=_NO_SNIFFING)


@router.post("/whatsapp/{name}")
async def whatsapp_messages(name: str, request: Request) -> Response:
    """Take a delivery of WhatsApp; what is said to it goes through WhatsApp's own API."""
    catalogue = _catalogue(request, "whatsapp", name)
    channel = catalogue.channel
    body = await _body(request)
    secret = channel.secrets.get("app_secret", "")
    signature = request.headers.get(whatsapp.SIGNATURE, "")
    if not secret or not whatsapp.is_signed(body, signature, secret):
        raise Refused(_UNSIGNED)
    try:
        messages = whatsapp.messages(body, str(channel.settings.get("phone_number_id", "")))
    except NotReadable:
        raise Refused(_UNREADABLE) from None
    outgoing: Outgoing = request.app.state.outgoing
    for incoming in messages:
        for message in await _said(request, catalogue, incoming, is_repeated_told=False):
            outgoing.send(_whatsapp_call(catalogue, incoming, message))
    return JSONResponse({})


@router.post("/telegram/{name}")
async def telegram_update(name: str, request: Request) -> Response:
    """Take an update of Telegram; the answer to it is what is said."""
    catalogue = _catalogue(request, "telegram", name)
    secret = catalogue.channel.secrets.get("secret_token", "")
    if not secret or not telegram.is_secret(request.headers.get(telegram.SECRET, ""), secret):
        raise Refused(_UNSIGNED)
    try:
        incoming = telegram.update(await _body(request))
    except NotReadable:
        raise Refused(_UNREADABLE) from None
    if incoming is None:
        return JSONResponse({})
    said = await _said(request, catalogue, incoming, is_repeated_told=True)
    _confirm_tap(request, catalogue, incoming)
    return JSONResponse(telegram.answer(incoming.sender, said))


@router.post("/sms/{name}")
async def sms_message(name: str, request: Request) -> Response:
    """Take a message of an SMS gateway; the answer to it is what is said, as text."""
    catalogue = _catalogue(request, "sms", name)
    channel = catalogue.channel
    secret = channel.secrets.get("token", "")
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not secret or not sms.is_secret(sent or request.query_params.get("token", ""), secret):
        raise Refused(_UNSIGNED)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        incoming = sms.message(
            await _body(request),
            media_type,
            channel.settings,
            day=catalogue.today.isoformat(),
            fallback=uuid.uuid4().hex,
        )
    except NotReadable:
        raise Refused(_UNREADABLE) from None
    text = sms.answer(await _said(request, catalogue, incoming, is_repeated_told=True))
    field = channel.settings.get("reply")
    return JSONResponse({str(field): text}) if field else PlainTextResponse(text)


def _catalogue(request: Request, kind: str, name: str) -> Catalogue:
    """Return what an open channel of a kind can be about; Refused without one."""
    watch: Watch = request.app.state.watch
    if watch.refusal is not None:
        raise Refused(watch.refusal)
    channel = watch.registry.channels.get(name)
    if channel is None or channel.kind != kind or not channel.is_open(watch.today):
        raise Refused(_NO_CHANNEL)
    return Catalogue(watch.registry, channel, watch.today)


async def _body(request: Request) -> bytes:
    return await bodies.read(request.receive, dict(request.scope["headers"]))


async def _said(
    request: Request, catalogue: Catalogue, incoming: Incoming, *, is_repeated_told: bool
) -> Sequence[Message]:
    conversations: Conversations = request.app.state.conversations
    acceptance: Acceptance = request.app.state.acceptance
    accept = partial(_accepted, acceptance, catalogue.channel)
    return await conversations.take(incoming, catalogue, accept, is_repeated_told=is_repeated_told)


async def _accepted(acceptance: Acceptance, channel: Channel, filled: Filled) -> str:
    """Put a submission into the inbox and return its receipt; Refused when it is not taken."""
    item = Item(filled.body.encode(), filled.source_id, ticket=filled.ticket)
    parsed = Parsed([item], is_batch=False)
    accepted = await acceptance.accept(channel, parsed, acceptance.outcomes(channel.kind))
    return accepted.receipts[0]


def _whatsapp_call(catalogue: Catalogue, incoming: Incoming, message: Message) -> Call:
    channel = catalogue.channel
    base = str(channel.settings.get("api", WHATSAPP_API)).rstrip("/")
    return Call(
        channel.name,
        Hashed.of(catalogue, incoming).sender,
        f"{base}/{channel.settings.get('phone_number_id', '')}/messages",
        whatsapp.sending(incoming.sender, message),
        {"Authorization": f"Bearer {channel.secrets.get('access_token', '')}"},
    )


def _confirm_tap(request: Request, catalogue: Catalogue, incoming: Incoming) -> None:
    """Stop the clock that Telegram shows on a tapped button, if the bot's token is there."""
    channel = catalogue.channel
    token = channel.secrets.get("bot_token")
    if incoming.query is None or not token:
        return
    base = str(channel.settings.get("api", TELEGRAM_API)).rstrip("/")
    body: dict[str, Any] = {"callback_query_id": incoming.query}
    outgoing: Outgoing = request.app.state.outgoing
    recipient = Hashed.of(catalogue, incoming).sender
    outgoing.send(Call(channel.name, recipient, f"{base}/bot{token}/answerCallbackQuery", body))

"""Conversations between two messages: in Redis, under keyed hashes, for a day.

Of two messages of a person that come together one is first: the other is taken again with what the
first one left. A submission is remembered before it is stored and forgotten afterwards: whatever
dies in between, the next message (or the same, again) stores it under the same id and content.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.ingest.chats.catalogue import Catalogue
from services.ingest.chats.dialogue import advance
from services.ingest.chats.gateways.incoming import Incoming
from services.ingest.chats.prompts import prompt
from services.ingest.chats.state import ChatEvent, Conversation, Filled, Message, Turn
from services.ingest.chats.words import say
from services.ingest.watch import UNAVAILABLE
from shared.problems import Refused

LIFE_MS: Final = 24 * 3600 * 1000
TRIES_MAX: Final = 20  # of one message, against others of the same person
_SERVER_FAULT: Final = 500
_KEY_CHARACTERS: Final = 32  # 128 bits

# Writes only over what was read: two messages at once cannot both have been the next.
_REPLACE: Final = """
local current = redis.call('GET', KEYS[1]) or ''
if current ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Conversation)

Accept = Callable[[Filled], Awaitable[str]]


class Conversations:
    """Takes messages, and remembers how far each person is."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    async def take(
        self, incoming: Incoming, catalogue: Catalogue, accept: Accept, *, is_repeated_told: bool
    ) -> Sequence[Message]:
        """Return what is said to a message; Refused when nothing can be stored now.

        `is_repeated_told`: a message that comes again is answered again with what is asked now.
        """
        try:
            return await self._taken(incoming, catalogue, accept, is_repeated_told=is_repeated_told)
        except (RedisError, OSError, TimeoutError):
            raise Refused(UNAVAILABLE) from None

    async def _taken(
        self, incoming: Incoming, catalogue: Catalogue, accept: Accept, *, is_repeated_told: bool
    ) -> Sequence[Message]:
        hashed = Hashed.of(catalogue, incoming)
        event = ChatEvent(
            hashed.event,
            incoming.text,
            hashed.sender,
            incoming.choice,
            incoming.flow,
            incoming.sent_at,
        )
        key = f"{self._prefix}chat:{hashed.sender}"
        said: Sequence[Message] = ()
        for _ in range(TRIES_MAX):
            held = await self._held(key)
            conversation = _decoded(held)
            if conversation.pending is not None:
                said = await self._settled(key, held, conversation, accept)
                if event.key in conversation.seen:
                    return said
                continue
            turn = advance(conversation, event, catalogue)
            if event.key in conversation.seen:
                return [prompt(conversation, catalogue)] if is_repeated_told else ()
            left = _encoded(turn)
            if await self._replaced(key, held, left):
                if turn.filled is None:
                    return [*said, *turn.messages]
                return [*said, *await self._settled(key, left, _decoded(left), accept)]
        raise Refused(UNAVAILABLE)

    async def _settled(
        self, key: str, held: bytes, conversation: Conversation, accept: Accept
    ) -> Sequence[Message]:
        """Store what is pending, forget it, and return what is said about it."""
        pending, language = conversation.pending, conversation.language
        if pending is None:
            return ()
        try:
            said = say("receipt", language, receipt=await accept(pending))
        except Refused as error:
            if error.problem.status >= _SERVER_FAULT:
                raise  # it stays pending
            said = say("refused", language)
        settled = _ENCODER.encode(replace(conversation, pending=None))
        await self._replaced(key, held, settled)  # else another message has done the same
        return [Message(said)]

    async def _held(self, key: str) -> bytes:
        held = await self._redis.get(key)
        return held.encode() if isinstance(held, str) else held or b""

    async def _replaced(self, key: str, held: bytes, value: bytes) -> bool:
        return bool(await self._redis.eval(_REPLACE, 1, key, held, value, LIFE_MS))


class Hashed(msgspec.Struct, frozen=True):
    """Who sent a message, and which one it was, as hashes by the installation's secret."""

    sender: str
    event: str

    @classmethod
    def of(cls, catalogue: Catalogue, incoming: Incoming) -> "Hashed":
        """Return the hashes of a message."""
        channel = catalogue.channel.name
        return cls(
            _hashed(catalogue.registry.secret, "chat sender", channel, incoming.sender),
            _hashed(
                catalogue.registry.secret, "chat event", channel, incoming.sender, incoming.number
            ),
        )


def _hashed(secret: bytes, *parts: str) -> str:
    message = msgspec.json.encode([part.encode("utf-8", "replace").decode() for part in parts])
    return hmac.digest(secret, message, hashlib.sha256).hex()[:_KEY_CHARACTERS]


def _encoded(turn: Turn) -> bytes:
    return _ENCODER.encode(replace(turn.conversation, pending=turn.filled))


def _decoded(held: bytes) -> Conversation:
    try:
        return _DECODER.decode(held) if held else Conversation()
    except msgspec.DecodeError:  # of another version of this program: begin anew
        return Conversation()

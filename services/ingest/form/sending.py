"""A sent page on its way into the inbox, under the channel of kind `form`."""

from datetime import date
from typing import Final

import msgspec

from services.ingest.acceptance import Acceptance
from services.ingest.formats.format import Item, Parsed
from shared.problems import Problem
from shared.registry.snapshot import Channel, Registry

FORM_KIND: Final = "form"
_JUDGED: Final = frozenset({"invalid-submission", "forbidden"})  # the citizen can mend it


class _Error(msgspec.Struct):
    pointer: str


class _Judgement(msgspec.Struct):
    errors: list[_Error] = []


_judgement = msgspec.json.Decoder(_Judgement).decode


def form_channel(registry: Registry, opd: str, today: date) -> Channel | None:
    """Return the channel of the citizens' page for an OPD; None when it has none."""
    for channel in registry.channels.values():
        if channel.kind == FORM_KIND and channel.serves(opd) and channel.is_open(today):
            return channel
    return None


async def store(
    acceptance: Acceptance, channel: Channel, source_id: str, document: bytes, ticket: str | None
) -> str:
    """Store an answer and return its receipt; raises Refused."""
    item = Item(document, source_id, ticket=ticket)
    parsed = Parsed([item], is_batch=False)
    accepted = await acceptance.accept(channel, parsed, acceptance.outcomes(FORM_KIND))
    return accepted.receipts[0]


def wrong_members(refusal: Problem) -> list[str]:
    """Return the pointers of what is wrong with an answer; none when something else refuses it."""
    if refusal.code not in _JUDGED:
        return []
    return [error.pointer for error in _judgement(refusal.body).errors]

"""Who may answer with a ticket, and who must: judged by the registry alone, for every way in."""

from datetime import date
from typing import Final, NamedTuple

from shared.domain.submission.ticket import Ticket, read_ticket
from shared.domain.violation import Violation
from shared.registry.snapshot import Channel, Opd, Registry

TICKET_KIND: Final = "tiket"  # of the channel whose answers all came with a ticket: the verified
SANDBOX_KIND: Final = "uji"  # of a channel for trying things out: nothing of it is stored
# Where anybody can answer. Others are programs and officers, who answer for what they send.
OPEN_KINDS: Final = frozenset({"form", "kiosk", "whatsapp", "telegram", "sms"})
_POINTER: Final = "/ticket"


class Admission(NamedTuple):
    """Under which channel and id an answer is stored; `source_id` None: under its own."""

    channel: Channel
    source_id: str | None = None


def ticket_channel(registry: Registry, opd: str, today: date) -> Channel | None:
    """Return the open channel of the tickets of an OPD; of one OPD there is no second."""
    for channel in registry.channels.values():
        if channel.kind == TICKET_KIND and channel.serves(opd) and channel.is_open(today):
            return channel
    return None


def admission(  # noqa: PLR0913 (what an answer says, and what it is judged by)
    registry: Registry,
    sender: Channel,
    today: date,
    *,
    opd: str,
    layanan: str,
    code: str | None,
    replaces: str | None = None,
) -> Admission | Violation:
    """Return where an answer that came through `sender` is stored, or why it is not taken.

    `code` is the ticket that came with it, as it was typed or scanned. An OPD that is not in the
    registry is for others to judge.
    """
    if code is None:
        return _without_ticket(sender, registry.opd.get(opd))
    if replaces is not None:  # serials follow each other: whoever has one knows those of others
        return Violation("/replaces", "contradiction", "an answer with a ticket replaces none")
    ticket = _read(registry, opd, layanan, code)
    if isinstance(ticket, Violation):
        return ticket
    if sender.kind == SANDBOX_KIND:
        return Admission(sender, ticket.source_id)
    channel = ticket_channel(registry, opd, today)
    if channel is None:
        detail = f"OPD {opd} takes no tickets: the registry has no open channel of kind tiket"
        return Violation(_POINTER, "ticket-unknown", detail)
    return Admission(channel, ticket.source_id)


def _read(registry: Registry, opd: str, layanan: str, code: str) -> Ticket | Violation:
    entry = registry.opd.get(opd)
    layanan_codes = () if entry is None else entry.layanan
    ticket = read_ticket(registry.secret, code, ((opd, name) for name in layanan_codes))
    if entry is None or ticket is None:
        detail = f"this is no ticket for a layanan of OPD {opd}: type its 16 signs once more"
        return Violation(_POINTER, "ticket-unknown", detail)
    if ticket.layanan != layanan:
        detail = f"this ticket is for {entry.layanan[ticket.layanan].name}: answer about that"
        return Violation(_POINTER, "ticket-elsewhere", detail)
    return ticket


def _without_ticket(sender: Channel, opd: Opd | None) -> Admission | Violation:
    if sender.kind == TICKET_KIND:
        detail = f"channel {sender.name} takes answers with a ticket alone"
        return Violation(_POINTER, "ticket-required", detail)
    if opd is not None and opd.ticket_required and sender.kind in OPEN_KINDS:
        detail = f"{opd.name} takes answers with a ticket alone: it is given out at the counter"
        return Violation(_POINTER, "ticket-required", detail)
    return Admission(sender)

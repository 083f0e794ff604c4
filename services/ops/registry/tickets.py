"""Tickets: their serials are reserved first, so that no two are ever the same."""

from services.ops.registry.places import OpenPlace
from shared.clock import utc_now
from shared.domain.errors import IkmError
from shared.domain.submission.ticket import Ticket, ticket_code
from shared.domain.window import local_day
from shared.registry.snapshot import Registry
from shared.registry.tickets import ticket_channel
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import ticket_batches


class NoTicketChannel(IkmError):
    """No open channel takes the tickets of this OPD."""


def create_tickets(
    settings: Settings, registry: Registry, place: OpenPlace, count: int
) -> list[tuple[Ticket, str]]:
    """Return so many new tickets for a layanan, each with its code. Raises NoTicketChannel."""
    now = utc_now()
    opd, layanan = place.opd.code, place.layanan.code
    if ticket_channel(registry, opd, local_day(now, registry.instansi.zone)) is None:
        raise NoTicketChannel(
            f"{opd}; put `- {{name: tiket, kind: tiket}}` under `channels:` of the registry file"
        )
    with opened(settings.need_database()) as engine, transaction(engine) as connection:
        first = ticket_batches.reserve(connection, opd, layanan, count, now)
    tickets = [Ticket(serial, opd, layanan) for serial in range(first, first + count)]
    return [(ticket, ticket_code(registry.secret, ticket)) for ticket in tickets]

"""Tickets on paper and as CSV: for scissors at the counter, or for a printer of receipts."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final

from services.ops.prints import qr
from services.ops.prints.addresses import survey_address, typed
from services.ops.prints.typesetting import Template
from shared.domain.submission.ticket import Ticket
from shared.progress import Progress, untold
from shared.registry.snapshot import Registry

_COLUMNS: Final = ("code", "opd", "layanan", "address")
Coded = tuple[Ticket, str]  # with its code


def as_csv(tickets: Sequence[Coded], base: str) -> str:
    """Return a line for each ticket: its code, what it is for, the address that it opens."""
    out = StringIO()
    lines = csv.writer(out)
    lines.writerow(_COLUMNS)
    for ticket, code in tickets:
        lines.writerow((code, ticket.opd, ticket.layanan, _address(base, ticket, code)))
    return out.getvalue()


def as_pdf(
    tickets: Sequence[Coded], base: str, registry: Registry, tell: Progress = untold
) -> bytes:
    """Return the tickets of one layanan on A4 pages, to be cut out."""
    first, _ = tickets[0]
    opd = registry.opd[first.opd]
    layanan = opd.layanan[first.layanan]
    codes = []
    for number, (ticket, code) in enumerate(tickets, 1):
        image = qr.svg(qr.qr_of(_address(base, ticket, code), qr.OF_A_TICKET))
        codes.append({"code": code, "svg": image.decode()})
        tell(number, len(tickets))
    return Template("ticket_sheet").pdf(
        {
            "title": f"Tiket {first.opd}/{first.layanan}",
            "instansi": registry.instansi.name,
            "opd": opd.name,
            "layanan": layanan.name,
            "typed": typed(survey_address(base, opd.code, layanan.code)),
            "tickets": codes,
        }
    )


def _address(base: str, ticket: Ticket, code: str) -> str:
    return survey_address(base, ticket.opd, ticket.layanan, ticket=code)

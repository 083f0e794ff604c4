"""Signs and tickets on paper: everything stands on them, and their size is that of the paper."""

import csv
from io import BytesIO, StringIO

import pytest
from pypdf import PdfReader

from services.ops.prints.signs import SignPrinter, sign_of
from services.ops.prints.ticket_prints import as_csv, as_pdf
from shared.domain.submission.ticket import Ticket, read_ticket, ticket_code
from shared.registry.snapshot import Layanan, Opd
from tests.builders import SECRET, registry

BASE = "https://ikm.kota.go.id"
REGISTRY = registry()
DISDUKCAPIL = REGISTRY.opd["disdukcapil"]
KTP = DISDUKCAPIL.layanan["ktp-el"]
A5, A4 = (420, 595), (595, 842)


def pages(document: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(document)).pages]


def sizes(document: bytes) -> set[tuple[int, int]]:
    boxes = [page.mediabox for page in PdfReader(BytesIO(document)).pages]
    return {(round(box.width), round(box.height)) for box in boxes}


def test_a_sign_says_whose_it_is_and_where_to_answer() -> None:
    document = SignPrinter(REGISTRY).pdf([sign_of(DISDUKCAPIL, KTP, BASE, "loket-3")])
    [text] = pages(document)
    for words in (
        *("Kota Uji", "KTP Elektronik", "Disdukcapil", "loket-3"),
        *(
            "Bagaimana pelayanan kami?",
            "How was our service?",
            "ikm.kota.go.id/s/disdukcapil/ktp-el",
        ),
    ):
        assert words in text
    assert sizes(document) == {A5}


def test_the_same_sign_is_the_same_file() -> None:
    printer, sign = SignPrinter(REGISTRY), sign_of(DISDUKCAPIL, KTP, BASE)
    assert printer.pdf([sign]) == printer.pdf([sign]) == SignPrinter(REGISTRY).pdf([sign])


@pytest.mark.parametrize(
    "name", ["#panic() $x$ *a* @b <c> \\ // `d`", "Dinas " * 160, "X" * 1000, "行政 🏛"]
)
def test_any_name_of_a_registry_can_be_printed_and_none_is_a_program(name: str) -> None:
    opd = Opd("o", name, layanan={"l": Layanan("l", name)})
    document = SignPrinter(REGISTRY).pdf([sign_of(opd, opd.layanan["l"], BASE)] * 2)
    assert len(pages(document)) == 2
    if name.startswith("#"):
        assert "#panic() $x$ *a* @b <c>" in pages(document)[0]


def coded(count: int) -> list[tuple[Ticket, str]]:
    tickets = [Ticket(serial, "disdukcapil", "ktp-el") for serial in range(count)]
    return [(ticket, ticket_code(SECRET, ticket)) for ticket in tickets]


def test_a_sheet_holds_fourteen_tickets_a_page_each_with_its_code() -> None:
    tickets, told = coded(15), []
    document = as_pdf(tickets, BASE, REGISTRY, lambda done, total: told.append((done, total)))
    first, second = pages(document)
    assert all(code in first for _, code in tickets[:14])
    assert tickets[14][1] in second
    assert sizes(document) == {A4}
    assert told[-1] == (15, 15)


def test_the_csv_names_the_code_and_the_address_that_opens_it() -> None:
    tickets = coded(3)
    lines = list(csv.DictReader(StringIO(as_csv(tickets, BASE))))
    assert [line["code"] for line in lines] == [code for _, code in tickets]
    for line, (ticket, code) in zip(lines, tickets, strict=True):
        assert line["address"] == f"{BASE}/s/disdukcapil/ktp-el?t={code}"
        assert read_ticket(SECRET, line["code"], [(line["opd"], line["layanan"])]) == ticket

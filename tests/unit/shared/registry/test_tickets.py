"""Tickets at the door: each way in takes the same ones, under the same channel and id."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from shared.domain.submission.ticket import Ticket, ticket_code
from shared.domain.violation import Violation
from shared.registry.snapshot import Channel, Layanan, Opd
from shared.registry.tickets import OPEN_KINDS, Admission, admission
from tests.builders import SECRET, registry

TODAY = date(2026, 5, 4)
DINAS = Opd("dinas", "Dinas", layanan={"ktp": Layanan("ktp", "KTP"), "kk": Layanan("kk", "KK")})
BADAN = Opd("badan", "Badan", layanan={"ktp": Layanan("ktp", "KTP Badan")})
TIKET = Channel("tiket", "tiket")
CODE = ticket_code(SECRET, Ticket(7, "dinas", "ktp"))


def admitted(
    kind: str = "form",
    code: str | None = CODE,
    *,
    layanan: str = "ktp",
    opd: str = "dinas",
    is_required: bool = False,
    tickets: Mapping[str, Channel] | None = None,
) -> Admission | Violation:
    dinas = replace(DINAS, ticket_required=is_required)
    channels = {"tiket": TIKET} if tickets is None else tickets
    snapshot = replace(
        registry(), opd={"dinas": dinas, "badan": BADAN}, channels=channels, secret=SECRET
    )
    return admission(snapshot, Channel("c", kind), TODAY, opd=opd, layanan=layanan, code=code)


def reason(judged: Admission | Violation) -> tuple[str, str]:
    assert isinstance(judged, Violation)
    assert judged.pointer == "/ticket"
    return judged.code, judged.detail


@pytest.mark.parametrize("kind", ["form", "kiosk", "api", "petugas", "whatsapp", "tiket"])
@pytest.mark.parametrize("is_required", [True, False])
def test_a_ticket_is_stored_under_its_channel_and_serial_whoever_brings_it(
    kind: str, is_required: bool
) -> None:
    assert admitted(kind, is_required=is_required) == Admission(TIKET, "7")
    assert admitted(kind, CODE.lower().replace("-", " ")) == Admission(TIKET, "7")


def test_a_ticket_of_another_layanan_names_it() -> None:
    code, detail = reason(admitted(layanan="kk"))
    assert code == "ticket-elsewhere"
    assert "is for KTP" in detail


@pytest.mark.parametrize("code", ["", "x" * 1000, "0000-0000-0000-0000", CODE[:-1] + "!"])
def test_what_is_no_ticket_is_refused_without_a_word_about_others(code: str) -> None:
    assert reason(admitted(code=code))[0] == "ticket-unknown"


def test_a_ticket_of_another_opd_is_no_ticket() -> None:
    assert reason(admitted(opd="badan"))[0] == "ticket-unknown"
    assert reason(admitted(opd="nowhere"))[0] == "ticket-unknown"


def test_without_a_channel_for_them_there_are_no_tickets() -> None:
    closed = replace(TIKET, valid_to=date(2026, 5, 3))
    others = replace(TIKET, opd=frozenset({"badan"}))
    for channel in (closed, others):
        assert reason(admitted(tickets={"tiket": channel}))[0] == "ticket-unknown"
    assert reason(admitted(tickets={}))[0] == "ticket-unknown"


@pytest.mark.parametrize("kind", sorted(OPEN_KINDS))
def test_where_anybody_can_answer_an_opd_can_require_a_ticket(kind: str) -> None:
    assert reason(admitted(kind, None, is_required=True))[0] == "ticket-required"
    assert admitted(kind, None) == Admission(Channel("c", kind))


@pytest.mark.parametrize("kind", ["api", "petugas", "import", "openrosa", "kobo"])
def test_programs_and_officers_need_none(kind: str) -> None:
    assert admitted(kind, None, is_required=True) == Admission(Channel("c", kind))


def test_the_channel_of_tickets_takes_nothing_without_one() -> None:
    assert reason(admitted("tiket", None))[0] == "ticket-required"


def test_the_sandbox_checks_a_ticket_and_uses_it_up_for_nobody() -> None:
    assert admitted("uji") == Admission(Channel("c", "uji"), "7")
    assert reason(admitted("uji", "0000"))[0] == "ticket-unknown"


def test_who_has_a_ticket_replaces_nobodys_answer() -> None:
    snapshot = replace(registry(), opd={"dinas": DINAS}, channels={"tiket": TIKET}, secret=SECRET)
    judged = admission(
        snapshot, Channel("c", "api"), TODAY, opd="dinas", layanan="ktp", code=CODE, replaces="6"
    )
    assert isinstance(judged, Violation)
    assert (judged.pointer, judged.code) == ("/replaces", "contradiction")

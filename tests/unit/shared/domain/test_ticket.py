"""Tickets: every code is read back as what was given out, and nothing else is read at all."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.submission.identity import SECRET_BYTES
from shared.domain.submission.ticket import (
    CODE_SIGNS,
    MAC_BITS,
    SERIAL_BITS,
    SERIALS,
    SIGNS,
    Ticket,
    read_ticket,
    ticket_code,
)

SECRET = bytes(range(SECRET_BYTES))
KTP = ("disdukcapil", "ktp-el")
PLACES = [("disdukcapil", "kk"), KTP, ("dinkes", "umum")]
EVER = ["0000-00V3-BYP0-K4PJ", "0004-K7DV-5N00-G8C0", "ZZZZ-ZZ08-MJQJ-B9X8"]
serials = st.integers(0, SERIALS - 1)
secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)


def ktp_code(serial: int = 4711) -> str:
    return ticket_code(SECRET, Ticket(serial, *KTP))


@given(secrets, serials, names, names)
def test_a_code_is_read_back(secret: bytes, serial: int, opd: str, layanan: str) -> None:
    ticket = Ticket(serial, opd, layanan)
    code = ticket_code(secret, ticket)
    assert read_ticket(secret, code, [("other", "place"), (opd, layanan)]) == ticket


@given(serials, st.sampled_from(["", " ", "-", "  - ", "\t"]), st.booleans(), st.data())
def test_how_a_person_types_it_does_not_matter(
    serial: int, between: str, is_lower: bool, data: st.DataObject
) -> None:
    misread = {"0": "0Oo", "1": "1IiLl", "V": "VvUu"}
    signs = ktp_code(serial).replace("-", between)
    typed = "".join(data.draw(st.sampled_from(misread.get(sign, sign))) for sign in signs)
    typed = f" {typed.lower() if is_lower else typed}\n"
    assert read_ticket(SECRET, typed, PLACES) == Ticket(serial, *KTP)


@given(serials, st.integers(0, CODE_SIGNS - 1), st.sampled_from(SIGNS))
def test_one_sign_that_is_wrong_is_noticed(serial: int, position: int, sign: str) -> None:
    signs = ktp_code(serial).replace("-", "")
    assume(signs[position] != sign)
    typed = signs[:position] + sign + signs[position + 1 :]
    assert read_ticket(SECRET, typed, PLACES) is None


@given(serials, st.integers(0, CODE_SIGNS - 2))
def test_two_signs_that_are_swapped_are_noticed(serial: int, position: int) -> None:
    signs = ktp_code(serial).replace("-", "")
    first, second = signs[position], signs[position + 1]
    assume(first != second)
    typed = signs[:position] + second + first + signs[position + 2 :]
    assert read_ticket(SECRET, typed, PLACES) is None


@given(st.text(max_size=100) | st.text(SIGNS, min_size=CODE_SIGNS, max_size=CODE_SIGNS))
def test_what_nobody_gave_out_is_none(code: str) -> None:
    assert read_ticket(SECRET, code, PLACES) is None


def test_a_ticket_holds_for_its_layanan_and_its_installation_alone() -> None:
    others = [place for place in PLACES if place != KTP]
    assert read_ticket(SECRET, ktp_code(), others) is None
    assert read_ticket(SECRET[::-1], ktp_code(), PLACES) is None


def test_names_of_other_lengths_are_other_places() -> None:
    code = ticket_code(SECRET, Ticket(1, "ab", "c"))
    assert read_ticket(SECRET, code, [("a", "bc"), ("abc", "")]) is None


def test_a_code_never_changes_between_releases() -> None:
    assert [ktp_code(serial) for serial in (0, 4711, SERIALS - 1)] == EVER


def test_all_codes_differ_and_look_the_same() -> None:
    codes = {ticket_code(SECRET, Ticket(serial, *KTP)) for serial in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == CODE_SIGNS + 3 and set(code) <= {*SIGNS, "-"} for code in codes)


@pytest.mark.parametrize("serial", [-1, SERIALS])
def test_a_serial_beyond_its_bits_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="30 bits"):
        ktp_code(serial)


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        read_ticket(b"short", ktp_code(), PLACES)


def test_sixteen_signs_hold_exactly_serial_and_check() -> None:
    assert SERIAL_BITS + MAC_BITS == CODE_SIGNS * 5
    assert len(set(SIGNS)) == 32

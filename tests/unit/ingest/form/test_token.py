"""The token of a page."""

import time

from services.ingest.form.limits import AddressLimit
from services.ingest.form.token import LIFETIME_S, FormToken
from tests.builders import SECRET


def test_a_token_is_read_as_it_was_written() -> None:
    token = FormToken.new()
    assert FormToken.read(SECRET, token.text(SECRET), time.time()) == token
    assert token.source_id(0) != token.source_id(1)


def test_a_token_of_another_installation_or_of_last_month_is_none() -> None:
    token, now_s = FormToken.new(), time.time()
    text = token.text(SECRET)
    assert FormToken.read(b"x" * 32, text, now_s) is None
    assert FormToken.read(SECRET, text, now_s + LIFETIME_S + 1) is None
    for forged in ("", "é", "====", text[:-1], "B" + text[1:], text * 2):
        assert FormToken.read(SECRET, forged, now_s) is None


def test_an_address_is_slowed_for_an_hour_and_nobody_else_is() -> None:
    now_s = [0.0]
    limit = AddressLimit(2, lambda: now_s[0])
    assert [limit.admits("kantor") for _ in range(3)] == [True, True, False]
    assert limit.admits("rumah")
    now_s[0] += 3600
    assert limit.admits("kantor")


def test_no_address_is_in_the_memory_of_the_limit() -> None:
    limit = AddressLimit(2)
    limit.admits("192.0.2.7")
    assert "192.0.2.7" not in repr(vars(limit))

"""Refused keys: one line a minute without a key, slowed by address without an address."""

import logging
from hashlib import sha256
from typing import Any

import pytest

from shared.registry import refused_keys
from shared.registry.access import KeyRefused
from shared.registry.refused_keys import (
    ADDRESS_MAX,
    ADDRESSES_MAX,
    KEYS_LISTED,
    KEYS_MAX,
    RefusedKeys,
)


def refused(key: str) -> KeyRefused:
    return KeyRefused(sha256(key.encode()).hexdigest())


def reported(refusals: RefusedKeys, caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of the next report."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        refusals.report()
    return [vars(record) for record in caplog.records]


def test_an_address_with_too_many_is_slowed_and_others_are_not() -> None:
    refusals = RefusedKeys()
    statuses = [refusals.answer(refused("x"), "192.0.2.1").status for _ in range(ADDRESS_MAX + 1)]
    assert statuses == [401] * ADDRESS_MAX + [429]
    assert refusals.answer(refused("x"), "192.0.2.2").status == 401


def test_a_network_of_ipv6_is_one_sender() -> None:
    refusals = RefusedKeys()
    for index in range(ADDRESS_MAX):
        assert refusals.answer(refused("x"), f"2001:db8::{index:x}").status == 401
    assert refusals.answer(refused("x"), "2001:db8::ffff").status == 429
    assert refusals.answer(refused("x"), "2001:db8:0:1::1").status == 401


def test_one_line_tells_hashes_and_counts_and_then_all_is_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusals = RefusedKeys()
    for key in ("secret-one", "secret-one", "secret-two"):
        refusals.answer(refused(key), "192.0.2.1")
    (line,) = reported(refusals, caplog)
    prefixes = {key: sha256(key.encode()).hexdigest()[:8] for key in ("secret-one", "secret-two")}
    assert line["sha256"] == {prefixes["secret-one"]: 2, prefixes["secret-two"]: 1}
    assert (line["refused"], line["keys"], line["slowed"]) == (3, 2, 0)
    assert "secret" not in str(line)
    assert "192.0.2.1" not in str(line)
    assert reported(refusals, caplog) == []


def test_a_window_reports_itself(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_keys, "WINDOW_S", 0.05)
    refusals = RefusedKeys()
    with caplog.at_level(logging.WARNING):
        refusals.answer(refused("x"), "192.0.2.1")
        refusals.timer.join(5)
    assert len(caplog.records) == 1


def test_a_flood_of_keys_and_addresses_is_counted_in_bounded_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusals = RefusedKeys()
    count = ADDRESSES_MAX + 10
    answer = refused("").problem
    for index in range(count):
        answer = refusals.answer(
            refused(str(index)), f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}"
        )
    assert answer.status == 429  # the table is full: a new address is slowed at once
    (line,) = reported(refusals, caplog)
    assert (line["refused"], line["keys"]) == (count, KEYS_MAX + 1)
    assert len(line["sha256"]) == KEYS_LISTED

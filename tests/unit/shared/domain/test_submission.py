"""The identity of a submission: its receipt, from channel, id and the installation's secret."""

import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.submission.identity import (
    RECEIPT_BYTES,
    SECRET_BYTES,
    ReceiptMaker,
    receipt_text,
    receipt_texts,
)

SECRET = bytes(range(SECRET_BYTES))
MAKER = ReceiptMaker(SECRET)
storable = st.text(st.characters(exclude_categories=["Cs"]))
source_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)


@given(st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES), storable, source_ids)
def test_a_receipt_is_the_hmac_of_channel_and_source_id(
    secret: bytes, channel: str, source_id: str
) -> None:
    name = channel.encode()
    message = len(name).to_bytes(2, "big") + name + source_id.encode()
    mac = int.from_bytes(hmac.digest(secret, message, "sha256")[:16], "big")
    receipt = uuid.UUID(bytes=ReceiptMaker(secret).receipts(channel, [source_id]))
    assert (receipt.version, receipt.variant) == (8, uuid.RFC_4122)
    kept = ~(0xF << 76 | 0x3 << 62)  # all but version and variant
    assert receipt.int & kept == mac & kept
    assert receipt_text(receipt.bytes) == str(receipt)


@given(st.lists(st.tuples(st.sampled_from(["loket", "kios", "k"]), st.lists(source_ids))))
def test_the_receipts_of_many_are_those_of_each(groups: list[tuple[str, list[str]]]) -> None:
    expected = [MAKER.receipts(channel, [name]) for channel, names in groups for name in names]
    assert MAKER.all_receipts(groups) == b"".join(expected)
    assert all(len(receipt) == RECEIPT_BYTES for receipt in expected)


def test_a_receipt_never_changes_between_releases() -> None:
    receipts = MAKER.receipts("loket", ["loket3-000123"]) + MAKER.conflict_receipt(bytes(16), -1)
    assert receipt_texts(receipts) == [
        "22c8f90c-ea97-89e2-acd3-9c0f781f2a85",
        "f3974b9a-a1ac-8ea7-87f2-dd69a5c5c4bb",
    ]


def test_another_channel_id_or_secret_is_another_receipt() -> None:
    receipts = {
        MAKER.receipts("loket", ["1"]),
        MAKER.receipts("loket1", ["1"]),
        MAKER.receipts("loket", ["11"]),
        MAKER.receipts("kios", ["1"]),
        ReceiptMaker(SECRET[::-1]).receipts("loket", ["1"]),
    }
    assert len(receipts) == 5


def test_a_conflict_has_a_receipt_that_no_id_has_and_each_content_its_own() -> None:
    first = MAKER.receipts("loket", ["1"])
    conflicts = {MAKER.conflict_receipt(first, digest) for digest in (-(2**63), -1, 0, 2**63 - 1)}
    assert len(conflicts) == 4
    assert first not in conflicts


@pytest.mark.parametrize("size", [0, 16, 33])
def test_a_secret_of_another_size_makes_no_receipts(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ReceiptMaker(bytes(size))


def test_the_secret_is_shown_to_nobody() -> None:
    assert repr(SECRET)[2:-1] not in repr(MAKER)
    assert not any(isinstance(getattr(MAKER, name), bytes) for name in MAKER.__slots__)

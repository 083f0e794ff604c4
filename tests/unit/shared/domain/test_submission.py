import uuid

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.submission.identity import (
    RECEIPTS,
    receipt_bytes,
    receipt_namespace,
    receipt_text,
)

source_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)


@given(st.text(st.characters(exclude_categories=["Cs"])), source_ids)
def test_a_receipt_is_the_uuid5_of_channel_and_source_id(channel: str, source_id: str) -> None:
    expected = uuid.uuid5(uuid.uuid5(RECEIPTS, channel), source_id)
    receipt = receipt_bytes(receipt_namespace(channel), source_id)
    assert receipt == expected.bytes
    assert receipt_text(receipt) == str(expected)


def test_a_receipt_never_changes_between_releases() -> None:
    receipt = receipt_bytes(receipt_namespace("loket"), "loket3-000123")
    assert receipt_text(receipt) == "8c04f3e2-4940-54d9-8f46-5dab2168f2ec"


def test_the_same_source_id_from_two_channels_is_two_submissions() -> None:
    assert receipt_bytes(receipt_namespace("loket"), "1") != receipt_bytes(
        receipt_namespace("kios"), "1"
    )

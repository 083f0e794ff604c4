"""A filled form is a submission; its identity is that of OpenRosa."""

import json
from typing import Any

import pytest

from services.ingest.formats.format import Item, Unreadable
from services.ingest.formats.openrosa.submission import parse
from tests.builders import submission
from tests.unit.ingest.formats.openrosa.filled import INSTANCE_ID, instance, multipart, request_of

ANSWERS = {"U1": 4, "U2": 4, "U3": 3, "U4": 4, "U5": 4, "U6": 4, "U7": 4, "U8": 3, "U9": 3}


def item_of(xml: bytes, *more: tuple[str, bytes]) -> Item:
    parsed = parse(request_of(multipart([("xml_submission_file", xml), *more])))
    assert not parsed.is_batch
    return parsed.items[0]


def document_of(xml: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(item_of(xml).body)
    return document


def test_a_filled_form_is_a_submission() -> None:
    item = item_of(instance())
    assert item.source_id == INSTANCE_ID
    assert json.loads(item.body) == submission(
        id=...,
        answers=ANSWERS,
        questionnaire="skm-2017",
        submitted_at="2026-05-04T09:12:00.000+07:00",
    )


def test_what_was_not_answered_is_left_out() -> None:
    document = document_of(
        instance({"answers/q_U4": "", "comment": "", "respondent/age": None, "end": None})
    )
    assert "U4" not in document["answers"]
    assert document.keys() == {"opd", "layanan", "questionnaire", "answers", "respondent"}
    assert "age" not in document["respondent"]


@pytest.mark.parametrize(
    ("text", "score"),
    [("4", 4), ("04", 4), ("4.0", "4.0"), ("empat", "empat"), ("9" * 50, "9" * 50)],
)
def test_an_answer_is_a_number_or_what_was_sent(text: str, score: object) -> None:
    assert document_of(instance({"answers/q_U1": text}))["answers"]["U1"] == score


def test_the_piece_of_a_split_upload_is_the_same_submission() -> None:
    whole = item_of(instance())
    pieces = [
        item_of(instance(), ("*isIncomplete*", b"yes"), ("foto1.jpg", b"1")),
        item_of(instance(), ("foto2.jpg", b"2")),
    ]
    assert [(piece.source_id, piece.body) for piece in pieces] == [(INSTANCE_ID, whole.body)] * 2


def test_an_edit_replaces_the_form_that_it_deprecates() -> None:
    item = item_of(instance({"meta/instanceID": "uuid:baru", "meta/deprecatedID": INSTANCE_ID}))
    assert item.source_id == "uuid:baru"
    assert json.loads(item.body)["replaces"] == INSTANCE_ID


def test_without_an_instance_id_the_same_xml_is_the_same_submission() -> None:
    first, again, other = (
        item_of(instance({"meta/instanceID": None, "comment": comment})).source_id
        for comment in ("a", "a", "b")
    )
    assert first == again != other
    assert str(first).startswith("sha256:")


def test_a_longer_id_than_may_be_stored_is_known_by_its_hash_and_replaced_by_it() -> None:
    long = "uuid:" + "x" * 240
    source_id = item_of(instance({"meta/instanceID": long})).source_id
    assert source_id is not None
    assert len(source_id) <= 128
    edit = item_of(instance({"meta/deprecatedID": long}))
    assert json.loads(edit.body)["replaces"] == source_id


def test_another_form_is_not_found() -> None:
    for xml in (b'<data id="lain"><x>1</x></data>', b"<data/>", instance({"layanan": ""})):
        with pytest.raises(Unreadable) as refused:
            item_of(xml)
        assert refused.value.code == "not-found"

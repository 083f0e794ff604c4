"""A record of another system becomes a submission, or a violation for each field that cannot."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from shared.domain.violation import Violation
from shared.mapping.field_mapping import FieldMapping, InvalidMapping, Submitted
from shared.wire import SubmissionDecoder
from tests.builders import registry, submission

SETTINGS: Mapping[str, Any] = {
    "id": "_uuid",
    "opd": {"value": "disdukcapil"},
    "layanan": {"field": "layanan", "values": {"KTP-el": "ktp-el"}},
    "answers": {
        "U1": {"field": "u1", "values": {"Sangat sesuai": 4, "Sesuai": 3, 2: 2, "Tidak": 1}},
        **{f"U{number}": f"u{number}/q" for number in range(2, 10)},
    },
    "respondent": {
        "sex": {"field": "jk", "values": {"Laki-laki": "L", "Perempuan": "P", "-": None}},
        "age": "umur",
        "education": "pendidikan",
        "occupation": {
            "field": "kerja",
            "values": {"Karyawan": "SWASTA"},
            "otherwise": "LAINNYA",
        },
    },
    "comment": "saran",
    "submitted_at": {"field": "waktu", "format": "%Y-%m-%dT%H:%M:%S", "timezone": "UTC"},
}
SPREADSHEET_TIME = datetime.fromisoformat("2026-05-04 09:12")
RECORD: Mapping[str, object] = {
    "_uuid": "loket3-000123",
    "layanan": " ktp-EL ",
    "u1": "sangat  Sesuai",
    **dict(zip([f"u{number}/q" for number in range(2, 10)], "34434433", strict=True)),
    "jk": "Perempuan",
    "umur": 34.0,
    "pendidikan": "S1",
    "kerja": "Karyawan",
    "saran": " Cepat dan ramah",
    "waktu": "2026-05-04T02:12:00",
    "_attachments": [],
}


def mapped(record: Mapping[str, object], **changes: Any) -> dict[str, Any] | list[Violation]:
    """What a record becomes, its JSON read again; `...` leaves a member of the mapping out."""
    settings = {name: value for name, value in {**SETTINGS, **changes}.items() if value is not ...}
    outcome = FieldMapping.of(settings).submission(record)
    if isinstance(outcome, list):
        return outcome
    document: dict[str, Any] = json.loads(outcome.body)
    assert outcome.source_id == document.get("id")
    return document


def test_a_record_becomes_the_submission_that_its_fields_say() -> None:
    assert mapped(RECORD) == submission(submitted_at="2026-05-04T02:12:00+00:00")


def test_the_result_is_a_submission_to_the_decoder() -> None:
    outcome = FieldMapping.of(SETTINGS).submission(RECORD)
    assert isinstance(outcome, Submitted)
    assert not isinstance(SubmissionDecoder(registry()).decode(outcome.body), list)


@pytest.mark.parametrize("nothing", [None, "", "  ", float("nan")])
def test_what_says_nothing_is_left_out(nothing: object) -> None:
    silent = dict.fromkeys(("jk", "umur", "pendidikan", "kerja", "saran", "waktu", "u1"), nothing)
    document = mapped({**RECORD, **silent})
    assert isinstance(document, dict)
    assert {"respondent", "comment", "submitted_at"}.isdisjoint(document)
    assert "U1" not in document["answers"]


def test_a_value_that_means_null_says_nothing_and_any_other_means_otherwise() -> None:
    document = mapped({**RECORD, "jk": "-", "kerja": "Nelayan"})
    assert isinstance(document, dict)
    assert document["respondent"] == {"age": 34, "education": "S1", "occupation": "LAINNYA"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("u1", "Entahlah", "choice"),
        ("u2/q", "empat", "type"),
        ("u2/q", 3.5, "type"),
        ("u2/q", True, "type"),
        ("u2/q", "9" * 5_000, "type"),
        pytest.param("u2/q", 10**5_000, "type", id="a number of 5,000 digits"),
        ("umur", [34], "type"),
        ("saran", {"a": 1}, "type"),
        ("saran", "a\0b", "character"),
        ("saran", "\ud800", "character"),
        ("waktu", "04/05/2026", "datetime"),
        ("waktu", "0001-01-01T00:00:00", None),
        ("layanan", "KK", "choice"),
    ],
)
def test_what_cannot_be_carried_over_names_its_field(
    field: str, value: object, code: str | None
) -> None:
    outcome = mapped({**RECORD, field: value})
    if code is None:
        assert isinstance(outcome, dict)  # the calendar of submissions is judged with them
        return
    assert isinstance(outcome, list)
    assert [(fault.pointer, fault.code) for fault in outcome] == [
        ("/" + field.replace("/", "~1"), code)
    ]


def test_every_fault_of_a_record_is_named() -> None:
    outcome = mapped({**RECORD, "u1": "?", "u3/q": "x", "umur": "tua"})
    assert isinstance(outcome, list)
    assert {fault.pointer for fault in outcome} == {"/u1", "/u3~1q", "/umur"}


@pytest.mark.parametrize(
    ("described", "value", "instant"),
    [
        ("t", "2026-05-04T09:12:00+07:00", "2026-05-04T02:12:00+00:00"),
        ("t", "2026-05-04T09:12:00.000+07:00", "2026-05-04T02:12:00+00:00"),
        ({"field": "t", "timezone": "Asia/Jakarta"}, "2026-05-04 09:12:00", None),
        ({"field": "t", "timezone": "Asia/Jakarta"}, SPREADSHEET_TIME, None),
        (
            {"field": "t", "timezone": "Asia/Jakarta"},
            date(2026, 5, 4),
            "2026-05-03T17:00:00+00:00",
        ),
        (
            {"field": "t", "timezone": "UTC"},
            "2026-05-04T09:12:00+07:00",
            "2026-05-04T02:12:00+00:00",
        ),
        ({"field": "t", "format": "%Y/%m/%d %I:%M:%S %p %z"}, "2026/05/04 9:12:00 AM GMT+7", None),
        (
            {"field": "t", "format": "%d/%m/%Y %H:%M:%S", "timezone": "Asia/Jakarta"},
            "04/05/2026 09:12:00",
            None,
        ),
    ],
)
def test_times_of_every_make_are_instants(
    described: object, value: object, instant: str | None
) -> None:
    document = mapped({**RECORD, "t": value}, submitted_at=described)
    assert isinstance(document, dict)
    assert document["submitted_at"] == (instant or "2026-05-04T02:12:00+00:00")


@pytest.mark.parametrize("value", ["2026-05-04T09:12:00", "9999-12-31T23:59:59-01:00", "kemarin"])
def test_a_time_without_offset_or_outside_the_calendar_is_refused(value: str) -> None:
    outcome = mapped({**RECORD, "t": value}, submitted_at="t")
    assert isinstance(outcome, list)
    assert [fault.code for fault in outcome] == ["datetime"]


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"opd": ...}, "opd", "required"),
        ({"nama": "nama"}, "nama", "unknown"),
        ({"respondent": {"nik": "nik"}}, "respondent.nik", "unknown"),
        ({"respondent": "umur"}, "respondent", "type"),
        ({"answers": {"U1": 5}}, "answers.U1", "type"),
        ({"answers": {"U1": {"value": "empat"}}}, "answers.U1", "type"),
        ({"answers": {"U1": {"field": "u", "values": {"ya": "x"}}}}, "answers.U1", "type"),
        ({"answers": {"U1": {"field": "u", "values": {}}}}, "answers.U1", "type"),
        ({"answers": {"U1": {"field": "u", "values": {True: 4}}}}, "answers.U1", "type"),
        ({"answers": {"U1": {"field": "u", "values": {"": 4}}}}, "answers.U1", "type"),
        (
            {"answers": {"U1": {"field": "u", "values": {"Ya": 4, "ya": 3}}}},
            "answers.U1",
            "ambiguous",
        ),
        ({"answers": {"U1": {"field": "u", "otherwise": 4}}}, "answers.U1", "ambiguous"),
        ({"answers": {str(number): "u" for number in range(100)}}, "answers", "type"),
        ({"comment": {"value": "x", "field": "y"}}, "comment", "ambiguous"),
        ({"comment": {"values": {"x": "y"}}}, "comment", "required"),
        ({"comment": {"field": "x", "format": "%d"}}, "comment", "unknown"),
        ({"submitted_at": {"field": "t", "format": "%Q"}}, "submitted_at", "format"),
        ({"submitted_at": {"field": "t", "format": 5}}, "submitted_at", "type"),
        ({"submitted_at": {"field": "t", "timezone": "WIB"}}, "submitted_at", "choice"),
        ({"submitted_at": {"field": "t", "timezone": "../x"}}, "submitted_at", "choice"),
    ],
)
def test_a_wrong_mapping_says_where_and_why(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(InvalidMapping) as refusal:
        mapped(RECORD, **changes)
    assert [(fault.pointer, fault.code) for fault in refusal.value.violations] == [(pointer, code)]
    assert pointer in str(refusal.value)


def test_a_mapping_is_a_mapping() -> None:
    with pytest.raises(InvalidMapping):
        FieldMapping.of(["u1"])


def test_pointers_lead_from_the_submission_back_to_the_fields() -> None:
    pointers = FieldMapping.of(SETTINGS).pointers
    assert pointers["/answers/U2"] == "/u2~1q"
    assert pointers["/respondent/age"] == "/umur"
    assert pointers["/submitted_at"] == "/waktu"
    assert "/opd" not in pointers  # a fixed value

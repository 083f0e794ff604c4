"""Which column is what, by preset: headings as LimeSurvey, Google Forms and offices write them."""

import json
from typing import Any

import pytest

from services.aggregate.imports.opening import open_file
from services.aggregate.imports.options import ImportOptions
from services.aggregate.imports.reading.table import FileFault
from shared.domain.questionnaire import SKM_2017
from shared.registry.snapshot import Channel
from tests.builders import registry

CHANNEL = Channel("berkas", "import")
SCORES = [4, 4, 3, 4, 4, 4, 4, 3, 3]


def converted(content: str, **options: Any) -> tuple[list[str], list[Any], list[Any]]:
    opened = open_file([content.encode()], ImportOptions(**options), registry(), CHANNEL)
    ids, bodies, refusals = opened.converter.convert(opened.rows(100))
    return ids, [json.loads(body) for body in bodies], refusals


def answers(document: dict[str, Any]) -> list[int]:
    return [document["answers"][unsur.code] for unsur in SKM_2017.unsur]


def test_the_template_with_titles_above_and_names_of_the_registry() -> None:
    content = (
        "DATA SURVEI;;\n;;\n"
        "No;Jenis Kelamin;Pendidikan Terakhir;Pekerjaan;Jenis Layanan;"
        "U1;U2;U3;U4;U5;U6;U7;U8;U9;Saran/Masukan\n"
        "1;Perempuan;SLTA;Wiraswasta;ktp elektronik;4;4;3;4;4;4;4;3;3;Cepat\n"
    )
    _, (document,), _ = converted(content, opd="disdukcapil", day="2026-05-04")
    assert answers(document) == SCORES
    assert document["respondent"] == {"sex": "P", "education": "SMA", "occupation": "WIRAUSAHA"}
    assert (document["layanan"], document["comment"]) == ("ktp-el", "Cepat")
    assert document["submitted_at"] == "2026-05-04T05:00:00+00:00"


@pytest.mark.parametrize(
    "heading", ["U{}", "survei[U{}]", "U{}[SQ001]", "G1_U{}", "U{}. Bagaimana"]
)
def test_limesurvey_with_codes_as_headings(heading: str) -> None:
    columns = [heading.format(number) for number in range(1, 10)]
    head = ";".join(f'"{name}"' for name in ["id", "submitdate", "JK", *columns])
    rows = [["12", "2026-05-04 09:12:00", "L", *(f"A{n}" for n in SCORES)], ["13", "", "L"]]
    content = "\n".join([head, *(";".join(f'"{c}"' for c in row) for row in rows), ""])
    ids, (document,), (refusal,) = converted(
        content, preset="limesurvey", opd="disdukcapil", layanan="ktp-el"
    )
    assert ids == ["12"]
    assert answers(document) == SCORES
    assert document["submitted_at"] == "2026-05-04T02:12:00+00:00"
    assert refusal.line == 3


def test_google_forms_with_questions_as_headings_and_options_as_answers() -> None:
    head = ["Cap waktu", "Jenis Layanan", *(f"{u.question} [{u.name}]" for u in SKM_2017.unsur)]
    options = [u.options[score - 1] for u, score in zip(SKM_2017.unsur, SCORES, strict=True)]
    row = ["2026/05/04 9:12:00 AM GMT+7", "KTP Elektronik", *options]
    content = "\n".join(",".join(f'"{cell}"' for cell in cells) for cells in (head, row))
    ids, (document,), _ = converted(content, preset="google-forms", opd="disdukcapil")
    assert ids[0].endswith("-0")
    assert answers(document) == SCORES
    assert document["submitted_at"] == "2026-05-04T02:12:00+00:00"


def test_our_own_export_keeps_ids() -> None:
    head = "id,opd,layanan,submitted_at,U1,U2,U3,U4,U5,U6,U7,U8,U9,sex,age,comment"
    row = "a-1,disdukcapil,ktp-el,2026-05-04T09:12:00+07:00,4,4,3,4,4,4,4,3,3,P,34,Cepat"
    ids, (document,), _ = converted(f"{head}\n{row}\n", preset="ikm")
    assert ids == ["a-1"]
    assert document["respondent"] == {"sex": "P", "age": 34}


def test_a_mapping_of_ones_own_goes_before_the_preset() -> None:
    mapping = {
        "opd": {"value": "disdukcapil"},
        "layanan": {"value": "ktp-el"},
        "answers": {unsur.code: f"q{n}" for n, unsur in enumerate(SKM_2017.unsur, 1)},
    }
    head, row = ",".join(f"q{n}" for n in range(1, 10)), ",".join(map(str, SCORES))
    _, (document,), _ = converted(f"{head},x\n{row},1\n", mapping=mapping)
    assert answers(document) == SCORES
    with pytest.raises(FileFault, match="no column is called: q9"):
        converted(f"{head[:-3]}\n{row}\n", mapping=mapping)


def test_a_file_without_the_columns_says_which_and_what_it_has() -> None:
    with pytest.raises(FileFault, match=r"U9, layanan \(line 1 has: U1, U2"):
        converted("U1,U2,U3,U4,U5,U6,U7,U8\n4,4,4,4,4,4,4,4\n", opd="disdukcapil")
    with pytest.raises(FileFault, match="opd=CODE"):
        converted("U1,layanan\n4,ktp-el\n")


@pytest.mark.parametrize(
    ("row", "pointer", "code"),
    [
        ("5,4,4,4,4,4,4,4,4,ktp-el,S1", "/U1", "choice"),
        (",4,4,4,4,4,4,4,4,ktp-el,S1", "/U1", "required"),
        ("4,4,4,4,4,4,4,4,4,sim,S1", "/layanan", "choice"),
        ("4,4,4,4,4,4,4,4,4,ktp-el,TK", "/pendidikan", "choice"),
        ("4,4,4,4,4,4,4,4,4,ktp-el,S1,baik", "", "columns"),
    ],
)
def test_a_bad_row_is_refused_with_the_column_and_the_reason(
    row: str, pointer: str, code: str
) -> None:
    head = "U1,U2,U3,U4,U5,U6,U7,U8,U9,layanan,pendidikan"
    _, good, (refusal,) = converted(f"{head}\n{row}\n", opd="disdukcapil")
    assert not good
    assert [(fault.pointer, fault.code) for fault in refusal.violations] == [(pointer, code)]

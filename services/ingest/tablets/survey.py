"""What a form asks: the questionnaire of some layanan of an OPD, as the sheets of an XLSForm.

One form for each OPD and questionnaire, with its layanan as the first question: an officer opens
one form, however many layanan the counter has, and each form has one set of unsur.

No question asks for the tablet, its number or its user, as XLSForms may: who answered is nobody's
business.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

import msgspec

from services.ingest.formats.openrosa import fields
from shared.domain.questionnaire import SCORES, SKM_2017, Questionnaire, Unsur
from shared.domain.respondent import AGE_MAX, ENGLISH_LABELS, PROFILE_LABELS
from shared.domain.submission.identity import COMMENT_MAX
from shared.registry.snapshot import Opd, Registry

EDITION: Final = 1  # of the forms' shape: a greater one makes every tablet fetch them anew

_INDONESIAN: Final = "Bahasa Indonesia (id)"
_ENGLISH: Final = "English (en)"
_VERSION_DIGITS: Final = 10
_REQUIRED: Final = {
    "required": "yes",
    f"required_message::{_INDONESIAN}": "Pertanyaan ini perlu dijawab",
    f"required_message::{_ENGLISH}": "This question needs an answer",
}
_PROFILE: Final[Mapping[str, tuple[str, str]]] = {
    "sex": ("Jenis kelamin", "Sex"),
    "age": ("Umur (tahun)", "Age (years)"),
    "education": ("Pendidikan terakhir", "Education"),
    "occupation": ("Pekerjaan", "Occupation"),
}
Row = dict[str, Any]


class Survey(msgspec.Struct, frozen=True):
    """All that a form is made of; what is equal gives the same form on every server."""

    opd: str
    opd_name: str
    layanan: tuple[tuple[str, str], ...]  # code and name
    questionnaire: Questionnaire
    edition: int = EDITION

    @property
    def form_id(self) -> str:
        """The id of the form; no code holds a dot."""
        return f"{self.questionnaire.code}.{self.opd}"

    @property
    def title(self) -> str:
        """What a tablet lists."""
        is_usual = self.questionnaire.code == SKM_2017.code
        return f"SKM {self.opd_name}" + ("" if is_usual else f" ({self.questionnaire.name})")

    @property
    def version(self) -> str:
        """A number that follows from what is asked: a tablet fetches a form when it is another."""
        digest = hashlib.sha256(msgspec.json.encode(self)).digest()
        return f"{int.from_bytes(digest[:8], 'big') % 10**_VERSION_DIGITS:0{_VERSION_DIGITS}}"


def surveys(registry: Registry, today: date) -> list[Survey]:
    """Return the surveys of all OPDs that are open today, in their order."""
    return [
        survey
        for opd in registry.opd.values()
        if opd.is_open(today)
        for survey in _surveys_of(registry, opd, today)
    ]


def _surveys_of(registry: Registry, opd: Opd, today: date) -> Iterator[Survey]:
    def code(layanan: tuple[str, str]) -> str:
        return opd.layanan[layanan[0]].questionnaire or SKM_2017.code

    layanan_of_today = [
        (layanan.code, layanan.name) for layanan in opd.layanan.values() if layanan.is_open(today)
    ]
    for questionnaire_code, layanan in groupby(sorted(layanan_of_today, key=code), code):
        questionnaire = registry.questionnaires.get(questionnaire_code)
        if questionnaire is not None:
            yield Survey(opd.code, opd.name, tuple(layanan), questionnaire)


def xlsform(survey: Survey) -> dict[str, list[Row]]:
    """Return the sheets of a survey's XLSForm, as pyxform takes them."""
    settings = {
        "form_title": _plain(survey.title),
        "form_id": survey.form_id,
        "version": survey.version,
        "default_language": _INDONESIAN,
    }
    return {
        "survey": list(_questions(survey)),
        "choices": list(_choices(survey)),
        "settings": [settings],
    }


def _questions(survey: Survey) -> Iterator[Row]:
    yield {"type": "end", "name": fields.ENDED}
    yield _constant(fields.OPD, survey.opd)
    yield _constant(fields.QUESTIONNAIRE, survey.questionnaire.code)
    if len(survey.layanan) == 1:
        yield _constant(fields.LAYANAN, survey.layanan[0][0])
    else:
        label = _label("Layanan yang diterima", "Service that you used")
        yield _choice_of(fields.LAYANAN) | label | _REQUIRED
    yield _group(fields.ANSWERS, _label(survey.questionnaire.name, survey.questionnaire.name))
    for unsur in survey.questionnaire.unsur:
        yield (
            _choice_of(_name(unsur))
            | _label(unsur.question, unsur.question)
            | (_REQUIRED if unsur.required else {})
        )
    yield {"type": "end_group"}
    yield _group(fields.RESPONDENT, _label("Tentang Anda (boleh dilewati)", "About you (optional)"))
    for name, texts in _PROFILE.items():
        yield (_age() if name == fields.AGE else _choice_of(name)) | _label(*texts)
    yield {"type": "end_group"}
    yield {
        "type": "text",
        "name": fields.COMMENT,
        "appearance": "multiline",
        "constraint": f"string-length(.) <= {COMMENT_MAX}",
        **_label("Saran dan masukan (boleh dilewati)", "Comments (optional)"),
        **_label(
            "Jangan tuliskan nama, NIK atau nomor telepon.",
            "Please write no name, identity or phone number.",
            "hint",
        ),
    }


def _choices(survey: Survey) -> Iterator[Row]:
    for code, name in survey.layanan:
        yield _choice(fields.LAYANAN, code, name, name)
    for unsur in survey.questionnaire.unsur:
        for score, option in zip(SCORES, unsur.options, strict=True):
            yield _choice(_name(unsur), str(score), option, option)
    for facet, labels in PROFILE_LABELS.items():
        for code, label in labels.items():
            yield _choice(facet, code, label, ENGLISH_LABELS[code])


def _age() -> Row:
    within = f". >= 0 and . <= {AGE_MAX}"
    message = _label(
        f"Umur 0 sampai {AGE_MAX}", f"An age from 0 to {AGE_MAX}", "constraint_message"
    )
    return {"type": "integer", "name": fields.AGE, "constraint": within, **message}


def _name(unsur: Unsur) -> str:
    return f"{fields.UNSUR_PREFIX}{unsur.code}"


def _constant(name: str, code: str) -> Row:
    return {"type": "calculate", "name": name, "calculation": f"'{code}'"}  # a code has no quotes


def _group(name: str, label: Row) -> Row:
    return {"type": "begin_group", "name": name, **label}


def _choice_of(name: str) -> Row:
    return {"type": f"select_one {name}", "name": name}


def _choice(list_name: str, name: str, indonesian: str, english: str) -> Row:
    return {"list_name": list_name, "name": name, **_label(indonesian, english)}


def _label(indonesian: str, english: str, column: str = "label") -> Row:
    texts = {_INDONESIAN: indonesian, _ENGLISH: english}
    return {f"{column}::{language}": _plain(text) for language, text in texts.items()}


def _plain(text: str) -> str:
    """Return a text in which pyxform sees no reference to another question."""
    return text.replace("${", "$ {")


def ordered(forms: Sequence[Survey]) -> list[Survey]:
    """Return surveys as a tablet lists them."""
    return sorted(forms, key=lambda survey: (survey.title, survey.form_id))

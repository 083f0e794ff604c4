"""What is asked, in both languages; the English of SKM_2017, which the regulation lacks.

A questionnaire of an instansi's own is asked as it is written.
"""

from collections.abc import Mapping
from typing import Final

from services.ingest.form.words import Language
from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from shared.domain.respondent import ENGLISH_LABELS, PROFILE_LABELS

_SUITABLE: Final = ("Not suitable", "Less suitable", "Suitable", "Very suitable")
_SKM_ENGLISH: Final[Mapping[str, tuple[str, tuple[str, str, str, str]]]] = {
    "U1": ("How suitable are the requirements for this kind of service?", _SUITABLE),
    "U2": (
        "How easy is the procedure of this service to follow?",
        ("Not easy", "Less easy", "Easy", "Very easy"),
    ),
    "U3": (
        "How fast was the service given?",
        ("Not fast", "Less fast", "Fast", "Very fast"),
    ),
    "U4": (
        "How fair is the cost of the service?",
        ("Very expensive", "Rather expensive", "Cheap", "Free of charge"),
    ),
    "U5": ("How well does the result match what the service standard promises?", _SUITABLE),
    "U6": (
        "How competent are the staff?",
        ("Not competent", "Less competent", "Competent", "Very competent"),
    ),
    "U7": (
        "How polite and friendly are the staff?",
        (
            "Not polite and friendly",
            "Less polite and friendly",
            "Polite and friendly",
            "Very polite and friendly",
        ),
    ),
    "U8": (
        "How good are the facilities?",
        ("Poor", "Fair", "Good", "Very good"),
    ),
    "U9": (
        "How are complaints of users handled?",
        ("Not at all", "Handled, but it does not work", "Works, but not fully", "Managed well"),
    ),
}


def asked(
    questionnaire: Questionnaire, unsur: Unsur, language: Language
) -> tuple[str, tuple[str, ...]]:
    """Return the question of an unsur, and the texts of the scores 1 to 4."""
    if language == "en" and questionnaire.code == SKM_2017.code:
        return _SKM_ENGLISH[unsur.code]
    return unsur.question, unsur.options


def profile_labels(language: Language) -> dict[str, dict[str, str]]:
    """Return the choices of the profile with their labels."""
    return {
        name: {
            code: label if language == "id" else ENGLISH_LABELS[code]
            for code, label in labels.items()
        }
        for name, labels in PROFILE_LABELS.items()
    }

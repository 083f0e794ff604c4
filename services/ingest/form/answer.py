"""The fields of a sent page as a submission."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from services.ingest.form.token import ANSWERS_MAX, LIFETIME_S, FormToken
from shared.domain.questionnaire import Questionnaire
from shared.domain.submission.instant import parse_instant

FIELDS_MAX: Final = 60
BODY_MAX_BYTES: Final = 64 * 1024
_SKEW: Final = timedelta(minutes=5)  # of a phone's clock


def fields_of(body: bytes) -> dict[str, str] | None:
    """Return the fields of a sent form; None when it is none or too large. Empty ones are left."""
    if len(body) > BODY_MAX_BYTES:
        return None
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        return None
    return {name: value.strip() for name, value in pairs if value.strip()}


def number_of(fields: Mapping[str, str]) -> int | None:
    """Return which answer of its page it is; None for none that a page gives."""
    text = fields.get("n", "0")
    is_number = text.isascii() and text.isdecimal() and len(text) == 1
    return int(text) if is_number and int(text) < ANSWERS_MAX else None


def submission(
    opd: str,
    layanan: str,
    questionnaire: Questionnaire,
    fields: Mapping[str, str],
    token: FormToken,
) -> bytes:
    """Return the submission as JSON; what is wrong in it is judged as for every way in."""
    respondent = {
        name: _integer(fields[name]) if name == "age" else fields[name]
        for name in ("sex", "age", "education", "occupation")
        if name in fields
    }
    document: dict[str, object] = {
        "opd": opd,
        "layanan": layanan,
        "questionnaire": questionnaire.code,
        "answers": {
            unsur.code: _integer(fields[unsur.code])
            for unsur in questionnaire.unsur
            if unsur.code in fields
        },
        "respondent": respondent or None,
        "comment": fields.get("comment"),
        "point": fields.get("point"),
        "submitted_at": _answered(fields.get("answered"), token),
    }
    return msgspec.json.encode({name: value for name, value in document.items() if value})


def _integer(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len("120") else text


def _answered(text: str | None, token: FormToken) -> str | None:
    """Return when a page without network was answered, if its token can be that old."""
    instant = parse_instant(text) if text else None
    if instant is None:
        return None
    made = datetime.fromtimestamp(token.made_s, UTC)
    is_credible = made - _SKEW <= instant <= made + timedelta(seconds=LIFETIME_S)
    return text if is_credible and instant <= datetime.now(UTC) + _SKEW else None

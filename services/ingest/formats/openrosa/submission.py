"""`POST /v1/key/{key}/submission`: a filled form of a tablet, as a submission.

It is known by its instanceID; without it, by what was sent. A form that was edited has a
new instanceID and names the earlier under deprecatedID: it replaces that one. Whether an earlier
one is there, and is the last, only the worker knows (docs/decisions/0022).

Each piece of a split upload repeats the XML: all come in under one id, and count once.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from services.ingest.formats.format import Item, Parsed, Request, Unreadable
from services.ingest.formats.openrosa import fields
from services.ingest.formats.openrosa.instance import Instance, read
from services.ingest.formats.openrosa.multipart import xml_of
from shared.domain.submission.identity import ID_MAX

XML: Final = "/xml_submission_file"  # the pointer of what is wrong
_NUMBER_MAX_DIGITS = 3
_encode = msgspec.json.Encoder().encode


def parse(request: Request) -> Parsed:
    """Return the submission that a form was filled with."""
    xml = xml_of(request)
    instance = read(xml)
    if fields.OPD not in instance.values or fields.LAYANAN not in instance.values:
        raise Unreadable(
            "not-found", f"no form of this service: {instance.form[:100] or 'it has no id'}"
        )
    source_id = _identity(instance.values.get("meta/instanceID")) or _digest(xml)
    body = _encode(_document(instance))
    return Parsed([Item(body, source_id, pointer=XML)], is_batch=False)


def _document(instance: Instance) -> dict[str, object]:
    """Return the submission's members; a question that was not answered is left out."""
    values = instance.values
    document: dict[str, object] = {
        fields.OPD: values[fields.OPD],
        fields.LAYANAN: values[fields.LAYANAN],
        "answers": _answers(values),
    }
    members = {
        "submitted_at": values.get(fields.ENDED) or values.get("meta/timeEnd"),
        "questionnaire": values.get(fields.QUESTIONNAIRE),
        "comment": values.get(fields.COMMENT),
        "respondent": _respondent(values),
        "replaces": _identity(values.get("meta/deprecatedID")),
    }
    return document | {name: value for name, value in members.items() if value}


def _answers(values: Mapping[str, str]) -> dict[str, int | str]:
    prefix = f"{fields.ANSWERS}/{fields.UNSUR_PREFIX}"
    return {
        path.removeprefix(prefix): _number(text)
        for path, text in values.items()
        if path.startswith(prefix)
    }


def _respondent(values: Mapping[str, str]) -> dict[str, int | str]:
    texts = {name: values.get(f"{fields.RESPONDENT}/{name}") for name in fields.PROFILE}
    return {
        name: _number(text) if name == fields.AGE else text for name, text in texts.items() if text
    }


def _number(text: str) -> int | str:
    """Return a number as one; anything else as it is, to be refused with its pointer."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _NUMBER_MAX_DIGITS
    return int(text) if is_number else text


def _identity(instance_id: str | None) -> str | None:
    """Return an instanceID as an id; OpenRosa allows longer ones than an id may be."""
    if instance_id is None or len(instance_id) <= ID_MAX:
        return instance_id
    return _digest(instance_id.encode())


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"

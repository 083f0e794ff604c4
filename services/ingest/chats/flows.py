"""A form that was filled inside a chat (a Flow of WhatsApp), as a submission."""

import hashlib
from typing import Final

import msgspec

from services.ingest.chats.catalogue import Catalogue
from services.ingest.chats.state import ChatEvent, Filled, FilledFlow

_PROFILE: Final = ("sex", "education", "occupation")


def flow_filled(event: ChatEvent, catalogue: Catalogue) -> Filled | None:
    """Return the submission of a filled form; None when it is about no open layanan.

    What is wrong with its values is for the judgement that all submissions pass.
    """
    flow = event.flow
    rateable = catalogue.rateable(flow.opd, flow.layanan) if flow else None
    questionnaire = catalogue.questionnaire(rateable) if rateable else None
    if flow is None or questionnaire is None:
        return None
    answers = {
        unsur.code: _number(flow.fields[unsur.code])
        for unsur in questionnaire.unsur
        if unsur.code in flow.fields
    }
    document: dict[str, object] = {
        "opd": flow.opd,
        "layanan": flow.layanan,
        "answers": answers,
    }
    respondent = {name: flow.fields[name] for name in _PROFILE if flow.fields.get(name)}
    if flow.fields.get("age"):
        respondent["age"] = _number(flow.fields["age"])
    if respondent:
        document["respondent"] = respondent
    if flow.fields.get("comment"):
        document["comment"] = flow.fields["comment"]
    if event.sent_at is not None:
        document["submitted_at"] = event.sent_at
    return Filled(_session(event), msgspec.json.encode(document).decode(), _ticket(flow))


def _ticket(flow: FilledFlow) -> str | None:
    ticket = flow.fields.get("ticket")
    return ticket if isinstance(ticket, str) and ticket else None


def _session(event: ChatEvent) -> str:
    """Return the id: of sender and session; of the message when the form has no session."""
    if event.flow is None or event.flow.session is None:
        return event.key
    return hashlib.sha256(f"{event.sender} {event.flow.session}".encode()).hexdigest()[:32]


def _number(value: object) -> object:
    """Return the number that a form gives as text."""
    is_number = isinstance(value, str) and value.isdecimal() and len(value) < len("1000")
    return int(str(value)) if is_number else value

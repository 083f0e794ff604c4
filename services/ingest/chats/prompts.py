"""What a dialogue asks at each stage, and the choices that it offers."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.ingest.chats.catalogue import Catalogue, Rateable
from services.ingest.chats.state import Choice, Conversation, Message, Stage
from services.ingest.chats.words import label, say
from shared.domain.questionnaire import Unsur
from shared.domain.respondent import EDUCATION_LABELS, OCCUPATION_LABELS, SEX_LABELS

PAGE_CHOICES: Final = 9  # WhatsApp shows ten rows: the tenth leads to the next nine
LAYANAN: Final = "l"
MORE: Final = "more"
SKIPPED: Final = "-"
YES: Final = "y"
LABELS: Final[Mapping[Stage, Mapping[str, str]]] = {
    Stage.SEX: SEX_LABELS,
    Stage.EDUCATION: EDUCATION_LABELS,
    Stage.OCCUPATION: OCCUPATION_LABELS,
}


def choice_id(conversation: Conversation, asked: str, value: str) -> str:
    """Return the id of a choice: which session, what was asked, what was chosen; 64 bytes most."""
    return f"{conversation.session[:8]}.{asked}.{value}"


def prompt(conversation: Conversation, catalogue: Catalogue) -> Message:
    """Return what is asked now."""
    stage, language = conversation.stage, conversation.language
    match stage:
        case Stage.LAYANAN:
            return _layanan(conversation, catalogue)
        case Stage.QUESTION:
            return _question(conversation, catalogue)
        case Stage.IDLE | Stage.TICKET:
            return Message(say(stage, language))
    offered = {YES: say("yes", language)} if stage == Stage.PROFILE else LABELS.get(stage, {})
    choices = [
        Choice(choice_id(conversation, stage, code), label(code, text, language))
        for code, text in offered.items()
    ]
    return Message(say(stage, language), choices, _skip(conversation, stage))


def candidates(conversation: Conversation, catalogue: Catalogue) -> Sequence[Rateable]:
    """Return the layanan between which a person chooses."""
    if conversation.search:
        return catalogue.named(conversation.search)
    return list(catalogue.rateables())


def next_unsur(conversation: Conversation, catalogue: Catalogue) -> Unsur | None:
    """Return the unsur that is asked next; None after the last, or when it cannot be asked."""
    rateable = catalogue.rateable(conversation.opd, conversation.layanan)
    questionnaire = catalogue.questionnaire(rateable) if rateable else None
    if questionnaire is None or len(conversation.scores) >= questionnaire.size:
        return None
    return questionnaire.unsur[len(conversation.scores)]


def _layanan(conversation: Conversation, catalogue: Catalogue) -> Message:
    rateables = candidates(conversation, catalogue)
    start = conversation.page * PAGE_CHOICES
    shown = rateables[start : start + PAGE_CHOICES]
    has_several_opd = len({rateable.opd.code for rateable in rateables}) > 1
    choices = [
        Choice(
            choice_id(conversation, LAYANAN, rateable.tag),
            f"{rateable.layanan.name} ({rateable.opd.code})"
            if has_several_opd
            else rateable.layanan.name,
        )
        for rateable in shown
    ]
    language = conversation.language
    if len(rateables) > PAGE_CHOICES:
        choices.append(Choice(choice_id(conversation, LAYANAN, MORE), say("more", language)))
    return Message(say("layanan" if choices else "closed", language), choices)


def _question(conversation: Conversation, catalogue: Catalogue) -> Message:
    unsur = next_unsur(conversation, catalogue)
    if unsur is None:
        return Message(say("closed", conversation.language))
    asked = str(len(conversation.scores))
    choices = [
        Choice(choice_id(conversation, asked, str(score)), text)
        for score, text in enumerate(unsur.options, start=1)
    ]
    skip = None if unsur.required else _skip(conversation, asked)
    return Message(f"{len(conversation.scores) + 1}. {unsur.question}", choices, skip)


def _skip(conversation: Conversation, asked: str) -> Choice:
    return Choice(choice_id(conversation, asked, SKIPPED), say("skip", conversation.language))

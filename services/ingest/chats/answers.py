"""What an answer changes: a dialogue with it, and the submission that a dialogue becomes."""

from typing import Final

import msgspec
from msgspec.structs import replace

from services.ingest.chats.catalogue import Catalogue, Rateable
from services.ingest.chats.prompts import (
    LABELS,
    LAYANAN,
    MORE,
    PAGE_CHOICES,
    SKIPPED,
    YES,
    candidates,
)
from services.ingest.chats.state import Conversation, Filled, Stage
from shared.domain.questionnaire import SCORES
from shared.domain.respondent import AGE_MAX
from shared.domain.submission.identity import COMMENT_MAX

_PROFILE: Final = (Stage.SEX, Stage.AGE, Stage.EDUCATION, Stage.OCCUPATION)
_AFTER: Final = {
    Stage.PROFILE: Stage.SEX,
    Stage.SEX: Stage.AGE,
    Stage.AGE: Stage.EDUCATION,
    Stage.EDUCATION: Stage.OCCUPATION,
    Stage.OCCUPATION: Stage.COMMENT,
}
_AGE_DIGITS: Final = 3


def begun(conversation: Conversation, rateable: Rateable, catalogue: Catalogue) -> Conversation:
    """Return the dialogue about a layanan, at its first question or at the ticket that it needs."""
    stage = Stage.QUESTION if catalogue.admits(rateable, None) else Stage.TICKET
    return replace(
        conversation, stage=stage, opd=rateable.opd.code, layanan=rateable.layanan.code, search=""
    )


def chosen(
    conversation: Conversation, asked: str, value: str, catalogue: Catalogue
) -> Conversation | None:
    """Return the dialogue after a choice that was offered; None when it means nothing (any more).

    The choice says what it answers: an answer to an earlier question replaces the one given.
    """
    if asked == LAYANAN:
        return _chosen_layanan(conversation, value, catalogue)
    if asked.isdecimal():
        return scored(conversation, int(asked), value, catalogue)
    if asked == conversation.stage == Stage.PROFILE:
        after = {YES: Stage.SEX, SKIPPED: Stage.COMMENT}.get(value)
        return replace(conversation, stage=after) if after else None
    return _chosen_profile(conversation, asked, value) if asked in _PROFILE else None


def scored(
    conversation: Conversation, position: int, value: str, catalogue: Catalogue
) -> Conversation | None:
    """Return the dialogue with a score at a position of the questionnaire: the next, or earlier."""
    rateable = catalogue.rateable(conversation.opd, conversation.layanan)
    questionnaire = catalogue.questionnaire(rateable) if rateable else None
    if questionnaire is None or conversation.stage in {Stage.IDLE, Stage.LAYANAN, Stage.TICKET}:
        return None
    if position > len(conversation.scores) or position >= questionnaire.size:
        return None
    if value == SKIPPED and not questionnaire.unsur[position].required:
        score = 0
    elif value in {str(score) for score in SCORES}:
        score = int(value)
    else:
        return None
    scores = (*conversation.scores[:position], score, *conversation.scores[position + 1 :])
    is_last = conversation.stage == Stage.QUESTION and len(scores) == questionnaire.size
    stage = Stage.PROFILE if is_last else conversation.stage
    return replace(conversation, scores=scores, stage=stage)


def aged(conversation: Conversation, typed: str | None = None) -> Conversation | None:
    """Return the dialogue with an age that was typed, or skipped; None for no age."""
    if typed is None:
        return _profiled(conversation, Stage.AGE, None)
    if not typed.isdecimal() or len(typed) > _AGE_DIGITS or int(typed) > AGE_MAX:
        return None
    return _profiled(conversation, Stage.AGE, int(typed))


def stepped_back(conversation: Conversation) -> Conversation:
    """Return the dialogue at the question before."""
    stage = conversation.stage
    if stage in {Stage.QUESTION, Stage.PROFILE} and conversation.scores:
        return replace(conversation, stage=Stage.QUESTION, scores=conversation.scores[:-1])
    if stage in {Stage.QUESTION, Stage.TICKET}:
        return replace(conversation, stage=Stage.LAYANAN, page=0, ticket=None)
    if stage == Stage.COMMENT:
        return replace(conversation, stage=Stage.PROFILE)
    before = {after: earlier for earlier, after in _AFTER.items()}.get(stage)
    return replace(conversation, stage=before) if before else conversation


def filled(
    conversation: Conversation, comment: str, sent_at: str | None, catalogue: Catalogue
) -> Filled | None:
    """Return the submission of a dialogue that is done; None when it cannot be sent any more."""
    rateable = catalogue.rateable(conversation.opd, conversation.layanan)
    questionnaire = catalogue.questionnaire(rateable) if rateable else None
    if questionnaire is None or len(conversation.scores) != questionnaire.size:
        return None
    asked = zip(questionnaire.unsur, conversation.scores, strict=True)
    document: dict[str, object] = {
        "opd": conversation.opd,
        "layanan": conversation.layanan,
        "answers": {unsur.code: score for unsur, score in asked if score},
    }
    if sent_at is not None:
        document["submitted_at"] = sent_at
    if conversation.profile:
        document["respondent"] = conversation.profile
    if comment:
        document["comment"] = comment
    body = msgspec.json.encode(document).decode()
    return Filled(conversation.session, body, conversation.ticket)


def comment_of(text: str) -> str | None:
    """Return a suggestion without control characters; None when it is too long."""
    comment = "".join(sign for sign in text if sign.isprintable() or sign == "\n").strip()
    return comment if len(comment) <= COMMENT_MAX else None


def _chosen_layanan(
    conversation: Conversation, value: str, catalogue: Catalogue
) -> Conversation | None:
    if conversation.stage != Stage.LAYANAN:
        return None
    rateables = candidates(conversation, catalogue)
    if value == MORE:
        pages = max(1, -(-len(rateables) // PAGE_CHOICES))
        return replace(conversation, page=(conversation.page + 1) % pages)
    for rateable in rateables:
        if rateable.tag == value:
            return begun(conversation, rateable, catalogue)
    return None


def _chosen_profile(conversation: Conversation, asked: str, value: str) -> Conversation | None:
    stage = conversation.stage
    if stage not in {*_PROFILE, Stage.COMMENT}:
        return None
    is_asked = stage == Stage.COMMENT or _PROFILE.index(Stage(asked)) <= _PROFILE.index(stage)
    if not is_asked or value not in {*LABELS.get(Stage(asked), ()), SKIPPED}:
        return None
    return _profiled(conversation, Stage(asked), None if value == SKIPPED else value)


def _profiled(conversation: Conversation, asked: Stage, value: str | int | None) -> Conversation:
    profile = {name: kept for name, kept in conversation.profile.items() if name != asked}
    if value is not None:
        profile[asked.value] = value
    stage = _AFTER[asked] if asked == conversation.stage else conversation.stage
    return replace(conversation, profile=profile, stage=stage)

"""The dialogue as a pure machine: (conversation, event) -> (conversation, messages, submission).

A layanan, its questions, the profile if one likes, a suggestion. Everything is deterministic: the
id of the submission is the key of the event that began it, so that no repetition makes another.
"""

from typing import Final

from msgspec.structs import replace

from services.ingest.chats import words
from services.ingest.chats.answers import (
    aged,
    begun,
    chosen,
    comment_of,
    filled,
    stepped_back,
)
from services.ingest.chats.catalogue import Catalogue, Rateable
from services.ingest.chats.flows import flow_filled
from services.ingest.chats.prompts import LAYANAN, PAGE_CHOICES, prompt
from services.ingest.chats.state import (
    SEEN_MAX,
    ChatEvent,
    Choice,
    Conversation,
    Filled,
    Message,
    Stage,
    Turn,
)
from services.ingest.chats.words import say
from shared.domain.submission.identity import COMMENT_MAX

_START_WORDS: Final = 3  # SKM, layanan, digits
_TEXT_MAX: Final = 4096  # of WhatsApp and Telegram
_DIGITS_EXAMPLE: Final = "434433443434433443"


def advance(conversation: Conversation, event: ChatEvent, catalogue: Catalogue) -> Turn:
    """Return what follows from an event; from one that was seen already, nothing does."""
    if event.key in conversation.seen:
        return Turn(conversation)
    seen = (*conversation.seen, event.key)[-SEEN_MAX:]
    return _turn(replace(conversation, seen=seen), event, catalogue)


def _turn(conversation: Conversation, event: ChatEvent, catalogue: Catalogue) -> Turn:
    if event.flow is not None:
        filled_flow = flow_filled(event, catalogue)
        return _sent(conversation, filled_flow) if filled_flow else _say(conversation, "refused")
    if event.choice is not None:
        return _chosen(conversation, event, event.choice, catalogue)
    return _typed(conversation, event, event.text[:_TEXT_MAX].strip(), catalogue)


def _chosen(
    conversation: Conversation, event: ChatEvent, choice: str, catalogue: Catalogue
) -> Turn:
    session, _, rest = choice.partition(".")
    asked, _, value = rest.partition(".")
    if conversation.stage == Stage.IDLE or session != conversation.session[:8]:
        return _asked(conversation, catalogue, say("outdated", conversation.language))
    if asked == conversation.stage == Stage.COMMENT:
        return _done(conversation, "", event, catalogue)
    after = chosen(conversation, asked, value, catalogue)
    if after is None:
        return _asked(conversation, catalogue, say("again", conversation.language))
    is_change = after.stage == conversation.stage and len(after.scores) == len(conversation.scores)
    note = say("changed", after.language) if is_change and asked != LAYANAN else ""
    if conversation.stage == Stage.LAYANAN and after.stage != Stage.LAYANAN:
        note = _introduction(after, catalogue)
    return _asked(after, catalogue, note)


def _typed(conversation: Conversation, event: ChatEvent, text: str, catalogue: Catalogue) -> Turn:
    word, _, rest = text.partition(" ")
    command = word.removeprefix("/").partition("@")[0].lower()
    if command in words.START and (conversation.stage != Stage.COMMENT or _is_start(text)):
        return _started(conversation, event, rest.split(), catalogue)
    if rest:
        command = ""
    if command in words.LANGUAGES:
        conversation = replace(conversation, language=words.LANGUAGES[command])
    elif conversation.stage != Stage.IDLE and command in words.CANCEL:
        return _say(_ended(conversation), "cancelled")
    elif command in words.BACK:
        conversation = stepped_back(conversation)
    elif conversation.stage != Stage.IDLE and command not in words.HELP:
        return _answered(conversation, event, text, catalogue)
    return _asked(conversation, catalogue)


def _is_start(text: str) -> bool:
    """Whether words at the end of a dialogue are a new start: a suggestion may begin with any."""
    spoken = text.lower().split()
    return spoken[0] in {"skm", "/start"} and len(spoken) <= _START_WORDS


def _answered(
    conversation: Conversation, event: ChatEvent, text: str, catalogue: Catalogue
) -> Turn:
    """Take what was typed for the answer to what was asked."""
    is_skip = text.lower().removeprefix("/") in words.SKIP
    match conversation.stage:
        case Stage.COMMENT:
            return _done(conversation, "" if is_skip else text, event, catalogue)
        case Stage.TICKET:
            return _with_ticket(conversation, text, catalogue)
        case Stage.AGE if not is_skip:
            after = aged(conversation, text)
            note = "" if after else say("again", conversation.language)
            return _asked(after or conversation, catalogue, note)
        case _:
            asked = prompt(conversation, catalogue)
            choice = asked.skip if is_skip else _meant(asked, text)
            if choice is None:
                return _asked(conversation, catalogue, say("again", conversation.language))
            return _chosen(conversation, event, choice.id, catalogue)


def _meant(asked: Message, text: str) -> Choice | None:
    """Return the choice that was typed, by its number or its words."""
    number = text.rstrip(".)")
    if number.isdecimal() and len(number) <= len(str(PAGE_CHOICES + 1)):
        position = int(number) - 1
        return asked.choices[position] if 0 <= position < len(asked.choices) else None
    for choice in asked.choices:
        if choice.title.lower() == text.lower():
            return choice
    return None


def _started(
    conversation: Conversation, event: ChatEvent, arguments: list[str], catalogue: Catalogue
) -> Turn:
    """Begin, or go on with what was begun about the same layanan."""
    is_active = conversation.stage != Stage.IDLE
    fresh = Conversation(
        Stage.LAYANAN, conversation.language, session=event.key, seen=conversation.seen
    )
    rateables = catalogue.named(arguments[0]) if arguments else list(catalogue.rateables())
    if not arguments and is_active:
        return _asked(conversation, catalogue, say("resume", conversation.language))
    if not rateables:
        note = say("no-layanan", conversation.language)
        return _asked(conversation if is_active else fresh, catalogue, note)
    if len(rateables) > 1:
        return _asked(replace(fresh, search=arguments[0] if arguments else ""), catalogue)
    rateable = rateables[0]
    if len(arguments) > 1:
        return _in_short(fresh, event, rateable, arguments[1:], catalogue)
    place = (rateable.opd.code, rateable.layanan.code)
    if is_active and place == (conversation.opd, conversation.layanan):
        return _asked(conversation, catalogue, say("resume", conversation.language))
    after = begun(fresh, rateable, catalogue)
    return _asked(after, catalogue, _introduction(after, catalogue))


def _in_short(
    fresh: Conversation,
    event: ChatEvent,
    rateable: Rateable,
    arguments: list[str],
    catalogue: Catalogue,
) -> Turn:
    """Take all answers of one message: `SKM ktp-el 434433443 Cepat dan ramah`."""
    questionnaire = catalogue.questionnaire(rateable)
    after = begun(fresh, rateable, catalogue)
    if questionnaire is None or after.stage == Stage.TICKET:
        return _asked(after, catalogue)
    for position, digit in enumerate(arguments[0]):
        scored = chosen(after, str(position), digit.replace("0", "-"), catalogue)
        if scored is None:
            break
        after = scored
    if len(after.scores) != questionnaire.size or len(arguments[0]) != questionnaire.size:
        example = _DIGITS_EXAMPLE[: questionnaire.size]
        size, layanan = questionnaire.size, rateable.layanan.code
        return _say(_ended(fresh), "digits", size=size, layanan=layanan, example=example)
    return _done(after, " ".join(arguments[1:]), event, catalogue)


def _with_ticket(conversation: Conversation, text: str, catalogue: Catalogue) -> Turn:
    rateable = catalogue.rateable(conversation.opd, conversation.layanan)
    if rateable is None or not catalogue.admits(rateable, text):
        return _asked(conversation, catalogue, say("ticket-wrong", conversation.language))
    return _asked(replace(conversation, ticket=text, stage=Stage.QUESTION), catalogue)


def _done(conversation: Conversation, text: str, event: ChatEvent, catalogue: Catalogue) -> Turn:
    comment = comment_of(text)
    if comment is None:
        note = say("comment-long", conversation.language, limit=COMMENT_MAX)
        return _asked(conversation, catalogue, note)
    submission = filled(conversation, comment, event.sent_at, catalogue)
    if submission is None:
        return _say(_ended(conversation), "closed")
    return _sent(conversation, submission)


def _sent(conversation: Conversation, submission: Filled) -> Turn:
    return Turn(_ended(conversation), [Message(say("done", conversation.language))], submission)


def _ended(conversation: Conversation) -> Conversation:
    """Return what is kept of a dialogue that is over: its language, and what was seen."""
    return Conversation(language=conversation.language, seen=conversation.seen)


def _introduction(conversation: Conversation, catalogue: Catalogue) -> str:
    rateable = catalogue.rateable(conversation.opd, conversation.layanan)
    if rateable is None:
        return ""
    names = {"layanan": rateable.layanan.name, "opd": rateable.opd.name}
    return say("begin", conversation.language, **names)


def _say(conversation: Conversation, text: str, **values: object) -> Turn:
    return Turn(conversation, [Message(say(text, conversation.language, **values))])


def _asked(conversation: Conversation, catalogue: Catalogue, note: str = "") -> Turn:
    question = prompt(conversation, catalogue)
    if note:
        question = replace(question, text=f"{note}\n\n{question.text}")
    return Turn(conversation, [question])

"""The values of a dialogue: what came, what is remembered, what is said."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

SEEN_MAX = 64  # events that are recognised when they come again; a whole dialogue has about 20


class Stage(StrEnum):
    """What the dialogue waits for."""

    IDLE = "idle"  # nothing was begun, or all is done
    LAYANAN = "layanan"
    TICKET = "ticket"
    QUESTION = "question"
    PROFILE = "profile"  # whether profile questions may be asked
    SEX = "sex"
    AGE = "age"
    EDUCATION = "education"
    OCCUPATION = "occupation"
    COMMENT = "comment"


class FilledFlow(Struct, frozen=True):
    """A form that was filled inside a chat: for which layanan, in which session, and what."""

    opd: str
    layanan: str
    session: str | None
    fields: Mapping[str, object]


class ChatEvent(Struct, frozen=True):
    """What a person sent: words, a tapped choice, or a filled form.

    `key` is a keyed hash of channel, sender and the service's own number of the message: the same
    for every delivery of it. `sent_at` is RFC 3339.
    """

    key: str
    text: str = ""
    sender: str = ""  # a keyed hash, too
    choice: str | None = None
    flow: FilledFlow | None = None
    sent_at: str | None = None


class Filled(Struct, frozen=True):
    """A submission that a dialogue came to: its id, its JSON, its ticket."""

    source_id: str
    body: str
    ticket: str | None = None


class Conversation(Struct, frozen=True, omit_defaults=True):
    """How far a dialogue is. It holds nothing that says who answers."""

    stage: Stage = Stage.IDLE
    language: str = "id"
    session: str = ""  # the id of the submission that it will become
    page: int = 0  # of a list of choices that is longer than a screen
    search: str = ""  # the code that several layanan have
    opd: str = ""
    layanan: str = ""
    ticket: str | None = None
    scores: tuple[int, ...] = ()  # in questionnaire order; 0: skipped
    profile: Mapping[str, str | int] = {}
    seen: tuple[str, ...] = ()
    pending: Filled | None = None  # not stored for certain yet


class Choice(Struct, frozen=True):
    """What can be tapped; its number in the list can be typed instead."""

    id: str
    title: str


class Message(Struct, frozen=True):
    """What is said, with the choices that can be tapped below; `choices` are numbered from 1."""

    text: str
    choices: Sequence[Choice] = ()
    skip: Choice | None = None


class Turn(Struct, frozen=True):
    """What follows from an event: the new state, what is said, and the submission at its end."""

    conversation: Conversation
    messages: Sequence[Message] = ()
    filled: Filled | None = None

"""The dialogue, word by word; and what holds whatever is typed, in whatever order and number."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.chats.catalogue import Catalogue
from services.ingest.chats.dialogue import advance
from services.ingest.chats.state import ChatEvent, Conversation, Filled, Stage, Turn
from shared.domain.submission.ticket import Ticket, ticket_code
from shared.registry.snapshot import Channel, Registry
from shared.wire import SubmissionDecoder
from tests.builders import SECRET, registry, submission

TODAY = date(2026, 5, 4)
SENT_AT = "2026-05-04T09:12:00+07:00"
NINE = "443444433"


def catalogue(entries: Registry | None = None) -> Catalogue:
    return Catalogue(entries or registry(), Channel("wa", "whatsapp"), TODAY)


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


class Person:
    """Types and taps, and remembers what was said."""

    def __init__(self, entries: Registry | None = None) -> None:
        self.catalogue = catalogue(entries)
        self.conversation = Conversation()
        self.filled: list[Filled] = []
        self.numbers = count()

    def types(self, text: str) -> Turn:
        return self.does(ChatEvent(key(next(self.numbers)), text, sent_at=SENT_AT))

    def taps(self, choice: str) -> Turn:
        return self.does(ChatEvent(key(next(self.numbers)), choice=choice))

    def does(self, event: ChatEvent) -> Turn:
        turn = advance(self.conversation, event, self.catalogue)
        self.conversation = turn.conversation
        if turn.filled:
            self.filled.append(turn.filled)
        return turn

    def says(self, *texts: str) -> Turn:
        return [self.types(text) for text in texts][-1]


def test_nine_digits_a_profile_and_a_suggestion_become_a_submission() -> None:
    person = Person()
    person.says("SKM ktp-el", *NINE, "1", "Perempuan", "34", "S1", "swasta", "Cepat dan ramah")
    answers = {f"U{place}": int(digit) for place, digit in enumerate(NINE, start=1)}
    [filled] = person.filled
    assert json.loads(filled.body) == submission(id=..., answers=answers)
    assert person.conversation.stage == Stage.IDLE


def test_all_answers_of_one_message_become_a_submission() -> None:
    person = Person()
    person.says(f"skm KTP-EL {NINE} Cepat dan ramah")
    [filled] = person.filled
    document = json.loads(filled.body)
    assert document["comment"] == "Cepat dan ramah"
    assert "".join(map(str, document["answers"].values())) == NINE


def test_wrong_digits_are_answered_with_an_example() -> None:
    for digits in ("44", NINE + "4", "443444435", "44344443x", "²²²²²²²²²", "040404040"):
        person = Person()
        assert "434433443" in person.says(f"SKM ktp-el {digits}").messages[0].text
        assert not person.filled


def test_a_layanan_is_chosen_from_a_list() -> None:
    person = Person()
    listed = person.says("skm").messages[0]
    assert [choice.title for choice in listed.choices] == [
        "Laboratorium (dinkes)",
        "Puskesmas (dinkes)",
        "KTP Elektronik (disdukcapil)",
    ]
    assert "persyaratan" in person.taps(listed.choices[2].id).messages[0].text
    assert person.conversation.layanan == "ktp-el"


def test_a_deep_link_names_opd_and_layanan() -> None:
    person = Person()
    person.says("/start disdukcapil__ktp-el")
    assert (person.conversation.stage, person.conversation.opd) == (Stage.QUESTION, "disdukcapil")


def test_nonsense_repeats_the_question() -> None:
    person = Person()
    question = person.says("SKM ktp-el").messages[0].text.split("\n\n")[-1]
    for nonsense in ("5", "0", "baik sekali", "-1", "", "9" * 5000, "²", "lewati"):
        assert person.says(nonsense).messages[0].text.endswith(question)
    assert person.conversation.scores == ()


def test_back_cancel_and_language_are_understood() -> None:
    person = Person()
    person.says("SKM ktp-el", "4", "3", "ulang", "1")
    assert person.conversation.scores == (4, 1)
    assert person.says("en").conversation.language == "en"
    assert "CANCEL" not in person.says("batal").messages[0].text
    assert person.conversation.stage == Stage.IDLE
    assert not person.filled


def test_start_words_resume_what_is_not_done() -> None:
    person = Person()
    person.says("SKM ktp-el", "4", "3", "SKM")
    assert person.conversation.scores == (4, 3)
    person.says("SKM ktp-el")
    assert person.conversation.scores == (4, 3)
    person.says("SKM puskesmas")
    assert person.conversation.layanan == "puskesmas"
    assert not person.conversation.scores


def test_an_old_choice_replaces_the_answer_that_it_is_about() -> None:
    person = Person()
    first = person.says("SKM ktp-el").messages[0]
    person.taps(first.choices[3].id)
    person.says("3")
    person.taps(first.choices[0].id)
    assert person.conversation.scores == (1, 3)


def test_a_choice_of_another_session_changes_nothing() -> None:
    person = Person()
    first = person.says("SKM ktp-el").messages[0]
    person.says("batal", "SKM ktp-el")
    person.taps(first.choices[3].id)
    assert person.conversation.scores == ()


def test_a_repeated_event_changes_nothing_and_says_nothing() -> None:
    person = Person()
    person.says("SKM ktp-el")
    event = ChatEvent("same", "4")
    person.does(event)
    turn = person.does(event)
    assert (turn.messages, person.conversation.scores) == ((), (4,))


def test_an_opd_that_requires_tickets_asks_for_one() -> None:
    example = registry()
    opd = replace(example.opd["disdukcapil"], ticket_required=True)
    channels = {**example.channels, "tiket": Channel("tiket", "tiket")}
    entries = replace(
        example, opd={**example.opd, "disdukcapil": opd}, channels=channels, secret=SECRET
    )
    person = Person(entries)
    person.says("SKM ktp-el", "1234-5678-9ABC-DEFG")
    assert person.conversation.stage == Stage.TICKET
    person.says(ticket_code(SECRET, Ticket(7, "disdukcapil", "ktp-el")), *NINE, "lewati", "lewati")
    assert len(person.filled) == 1


def test_an_optional_unsur_can_be_skipped() -> None:
    person = Person()
    person.says("SKM lab", "4", "lewati", "3", "lewati", "-")
    [filled] = person.filled
    assert json.loads(filled.body)["answers"] == {"1-a": 4, "U3": 3}


typed = st.one_of(
    st.sampled_from(
        ["SKM", "SKM ktp-el", "skm lab", f"SKM ktp-el {NINE}", "batal", "ulang", "lewati", "en"]
    ),
    st.sampled_from([*"12345", "34", "id", "bantuan", "", "/start", "/start@bot x", "SKM \ud800"]),
    st.text(max_size=20),
)


@given(st.lists(st.tuples(typed, st.integers(0, 12), st.integers(1, 3)), max_size=60))
def test_whatever_is_said_all_submissions_are_good_and_repetitions_change_nothing(
    said: list[tuple[str, int, int]],
) -> None:
    once, repeated = Person(), Person()
    offered: list[str] = []
    decoder = SubmissionDecoder(registry())
    for number, (text, tap, times) in enumerate(said):
        choice = offered[-tap] if 0 < tap <= len(offered) else None
        event = ChatEvent(key(number), "" if choice else text, choice=choice)
        turn = once.does(event)
        for _ in range(times):
            repeated.does(event)
        for message in turn.messages:
            assert message.text
            assert len(message.choices) + (message.skip is not None) <= 11
            offered += [choice.id for choice in message.choices]
            assert all(len(choice.id.encode()) <= 64 for choice in message.choices)
    assert once.conversation == repeated.conversation
    assert once.filled == repeated.filled
    assert len({filled.source_id for filled in once.filled}) == len(once.filled)
    for filled in once.filled:
        assert not isinstance(decoder.decode(filled.body.encode(), 10), list)

"""The judge: what is counted where, and why something must wait. Without a database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.counting.judge import Judge
from services.aggregate.counting.judgement import Parkable
from services.aggregate.counting.places import PlaceFinder
from shared.domain.questionnaire import SKM_2017, TOTAL_WEIGHT_MAX
from shared.domain.respondent import profile_of
from shared.registry.snapshot import Instansi, Registry
from shared.storage.responses import Place
from shared.wire import Destination
from tests.builders import questionnaire, registry, submission_json

RECEIVED = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
RECEIVED_US = round(RECEIVED.timestamp() * 1_000_000)


class Verdict(NamedTuple):
    place: Place
    answered_us: int
    scores: str
    profile: tuple[str | None, int | None, str | None, str | None]
    comment: str | None


def judged(
    judge: Judge | None = None, channel: str = "loket", **changes: Any
) -> Verdict | Parkable:
    return verdicts([submission_json(**changes)], judge or Judge(registry()), channel)[0]


def verdicts(
    bodies: Sequence[bytes], judge: Judge, channel: str = "loket"
) -> list[Verdict | Parkable]:
    """The judgement of each, undone from its columns."""
    judgement = judge.judge(bodies, [channel] * len(bodies), [RECEIVED_US] * len(bodies))
    by_position: dict[int, Verdict | Parkable] = dict(judgement.parkable)
    for responses in judgement.countable:
        assert (
            len(responses.positions)
            == len(responses.place_index)
            == len(responses.answered_us)
            == len(responses.scores)
            == len(responses.comments)
        )
        for index, position in enumerate(responses.positions.tolist()):
            assert position not in by_position
            by_position[position] = Verdict(
                responses.places[responses.place_index[index]],
                int(responses.answered_us[index]),
                responses.scores[index].tobytes().decode(),
                profile_of(int(responses.profiles[index])),
                responses.comments[index],
            )
    assert sorted(by_position) == list(range(len(bodies)))
    return [by_position[position] for position in range(len(bodies))]


def digests(*bodies: bytes, by: Registry | None = None) -> list[int]:
    judgement = Judge(by or registry()).judge(
        bodies, ["loket"] * len(bodies), list(range(len(bodies)))
    )
    return [int(digest) for digest in judgement.digests]


def test_a_submission_is_counted_at_its_place() -> None:
    verdict = judged()
    assert isinstance(verdict, Verdict)
    assert verdict.place == (
        "disdukcapil",
        "ktp-el",
        datetime(2026, 5, 4, tzinfo=UTC).date(),
        "skm-2017",
        "loket",
    )
    assert (verdict.scores, verdict.profile, verdict.comment) == (
        "434434433", ("P", 34, "S1", "SWASTA"), "Cepat dan ramah"
    )  # fmt: skip


def test_equal_places_are_numbered_once_and_only_those_in_use() -> None:
    bodies = [submission_json(id=name) for name in "abc"] + [submission_json(opd="tidak-ada")]
    (answered,) = Judge(registry()).judge(bodies, ["loket"] * 4, [RECEIVED_US] * 4).countable
    assert (len(answered.places), answered.place_index.tolist(), answered.positions.tolist()) == (
        1,
        [0, 0, 0],
        [0, 1, 2],
    )


def test_each_of_many_is_judged_as_it_would_be_alone() -> None:
    """Several questionnaires, days, channels and reasons to wait, good ones between bad ones."""
    judge = Judge(registry())
    lab: dict[str, Any] = {"opd": "dinkes", "layanan": "lab"}
    bodies = [
        submission_json(),
        b"{",
        submission_json(submitted_at=..., respondent=...),
        submission_json(**lab, answers={"1-a": 2, "U3": 4}, comment=None),
        submission_json(opd="tidak-ada"),
        submission_json(submitted_at="2026-05-01T00:00:00+07:00", comment="lain"),
        submission_json(**lab),
        submission_json(**lab, answers={"1-a": 2, "class": 1, "U3": 4}),
        submission_json(submitted_at="1971-01-01T00:00:00+07:00"),
        submission_json(submitted_at="9999-12-31T23:59:59-07:00"),
        submission_json(submitted_at="9998-12-31T23:59:59+07:00"),
        submission_json(comment="\0"),
        submission_json(opd="a\0b"),
        submission_json(questionnaire="skm-2030"),
        submission_json(questionnaire="skm-2017", **lab),
    ]
    alone = [verdicts([body], judge)[0] for body in bodies]
    assert verdicts(bodies, judge) == alone
    assert verdicts(bodies[::-1], judge) == alone[::-1]
    readable = [body for body in bodies if body != b"{"]
    assert verdicts(readable, judge) == [
        verdict for verdict, body in zip(alone, bodies, strict=True) if body != b"{"
    ]
    assert [type(verdict) for verdict in alone].count(Verdict) == 7
    assert len(set(digests(*bodies))) == len(bodies)


def test_a_fault_that_one_submission_brings_out_parks_that_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = PlaceFinder._find

    def faulty(self: PlaceFinder, destination: Destination, day: date, channel: str) -> Any:
        if destination.layanan == "fatal":
            raise LookupError("a bug")
        return place(self, destination, day, channel)

    monkeypatch.setattr(PlaceFinder, "_find", faulty)
    bodies = [
        submission_json(id="a"),
        submission_json(id="b", layanan="fatal"),
        submission_json(id="c"),
    ]
    first, second, third = verdicts(bodies, Judge(registry()))
    assert isinstance(first, Verdict)
    assert first == third
    assert isinstance(second, Parkable)
    assert second.reason == "uncountable"
    assert "cannot be judged" in caplog.text


def test_nothing_is_judged_to_nothing() -> None:
    assert verdicts([], Judge(registry())) == []


def test_without_a_time_of_its_own_it_is_answered_when_it_was_received() -> None:
    verdict = judged(submitted_at=...)
    assert isinstance(verdict, Verdict)
    assert verdict.answered_us == RECEIVED_US


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"opd": "tidak-ada"}, "unknown-opd"),
        ({"layanan": "tidak-ada"}, "unknown-layanan"),
        ({"questionnaire": "skm-2030"}, "unknown-questionnaire"),
        ({"submitted_at": "2026-05-05T10:00:01+07:00"}, "future-date"),
        ({"replaces": "loket3-000122"}, "correction"),
        ({"answers": {"U1": 4}}, "required"),
    ],
)
def test_what_cannot_be_placed_waits_for_a_reason(changes: dict[str, Any], reason: str) -> None:
    verdict = judged(**changes)
    assert isinstance(verdict, Parkable)
    assert (verdict.reason, verdict.violations[0].code) == (reason, reason)


def test_what_answers_a_questionnaire_that_is_too_heavy_waits() -> None:
    """One that was stored before there was a limit; it must not stop anybody else's counting."""
    short = questionnaire("singkat", "U1")
    heavy = replace(short, unsur=(replace(short.unsur[0], weight=TOTAL_WEIGHT_MAX + 1),))
    judge = Judge(registry(questionnaires={"skm-2017": SKM_2017, "singkat": heavy}))
    lab = submission_json(opd="dinkes", layanan="lab", answers={"U1": 4})
    parked, counted = verdicts([lab, submission_json()], judge)
    assert isinstance(parked, Parkable)
    assert parked.reason == "overweight-questionnaire"
    assert isinstance(counted, Verdict)


def test_a_clock_may_be_a_day_ahead() -> None:
    assert isinstance(judged(submitted_at="2026-05-05T10:00:00+07:00"), Verdict)


def test_the_content_is_known_again_however_it_is_written() -> None:
    body = submission_json()
    spaced = body.replace(b", ", b",\n  ").replace(
        b"2026-05-04T09:12:00+07:00", b"2026-05-04T02:12:00Z"
    )
    first, second, untimed, again = digests(
        body, spaced, submission_json(submitted_at=...), submission_json(submitted_at=None)
    )
    assert first == second
    assert untimed == again != first  # whenever it was received


@pytest.mark.parametrize(
    "changes",
    [
        {"opd": "dinkes"},
        {"layanan": "lain"},
        {"submitted_at": "2026-05-04T09:12:01+07:00"},
        {"submitted_at": ...},
        {"answers": dict.fromkeys((f"U{n}" for n in range(1, 10)), 3)},
        {"respondent": {"sex": "L", "age": 34, "education": "S1", "occupation": "SWASTA"}},
        {"respondent": ...},
        {"comment": "lain"},
        {"comment": ""},
        {"comment": None},
        {"questionnaire": "skm-2017"},
    ],
)
def test_another_content_has_another_digest(changes: dict[str, Any]) -> None:
    first, second = digests(submission_json(), submission_json(**changes))
    assert first != second


def test_the_digest_does_not_depend_on_what_the_registry_knows() -> None:
    body = submission_json(
        opd="dinkes", layanan="lab", questionnaire="baru", answers={"Z": 3, "B": None, "A": 4}
    )
    new = questionnaire("baru", "A", "B", "Z", optional=frozenset({"B"}))
    assert digests(body) == digests(body, by=registry(questionnaires={"baru": new}))


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - given its zone below
    st.timedeltas(timedelta(minutes=-20), timedelta(minutes=20)),
    st.sampled_from(
        ["Asia/Jakarta", "Asia/Kathmandu", "Africa/Monrovia", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
)
def test_the_day_is_that_of_the_zone_whatever_was_asked_before(
    instant: datetime, away: timedelta, zone: str
) -> None:
    judge = Judge(registry(instansi=Instansi("uji", "Uji", zone)))
    for moment in (instant.replace(tzinfo=UTC), instant.replace(tzinfo=UTC) + away):
        micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        assert judge.day(micros) == moment.astimezone(judge.registry.instansi.zone).date()

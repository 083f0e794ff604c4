"""The judge: what is counted where, and why something must wait. Without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.judge import Countable, Judge, Parkable
from shared.registry import Instansi
from tests.builders import registry, submission_json

RECEIVED = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
RECEIVED_US = round(RECEIVED.timestamp() * 1_000_000)


def judged(judge: Judge | None = None, channel: str = "loket", **changes: Any) -> Countable | Parkable:
    return (judge or Judge(registry())).judge(submission_json(**changes), channel, RECEIVED_US)


def test_a_submission_is_counted_at_its_place() -> None:
    verdict = judged()
    assert isinstance(verdict, Countable)
    assert verdict.place == ("disdukcapil", "ktp-el", datetime(2026, 5, 4, tzinfo=UTC).date(), "skm-2017", "loket")
    assert (verdict.scores, verdict.profile, verdict.comment) == (
        "434434433", ("P", 34, "S1", "SWASTA"), "Cepat dan ramah"
    )  # fmt: skip


def test_equal_places_are_one_object() -> None:
    judge = Judge(registry())
    first, second = judged(judge, id="a"), judged(judge, id="b")
    assert isinstance(first, Countable)
    assert isinstance(second, Countable)
    assert first.place is second.place


def test_without_a_time_of_its_own_it_is_answered_when_it_was_received() -> None:
    verdict = judged(submitted_at=...)
    assert isinstance(verdict, Countable)
    assert verdict.answered_us == RECEIVED_US


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"opd": "tidak-ada"}, "unknown-opd"),
        ({"layanan": "tidak-ada"}, "unknown-layanan"),
        ({"questionnaire": "skm-2030"}, "unknown-questionnaire"),
        ({"submitted_at": "2026-05-05T10:00:01+07:00"}, "future-date"),
        ({"answers": {"U1": 4}}, "required"),
    ],
)
def test_what_cannot_be_placed_waits_for_a_reason(changes: dict[str, Any], reason: str) -> None:
    verdict = judged(**changes)
    assert isinstance(verdict, Parkable)
    assert (verdict.reason, verdict.violations[0].code) == (reason, reason)


def test_a_clock_may_be_a_day_ahead() -> None:
    assert isinstance(judged(submitted_at="2026-05-05T10:00:00+07:00"), Countable)


def test_the_content_is_known_again_however_it_is_written() -> None:
    body = submission_json()
    judge = Judge(registry())
    spaced = body.replace(b", ", b",\n  ").replace(b"2026-05-04T09:12:00+07:00", b"2026-05-04T02:12:00Z")
    first, second = (judge.judge(one, "loket", RECEIVED_US) for one in (body, spaced))
    assert first.digest == second.digest
    assert judged(comment="lain").digest != first.digest


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - given its zone below
    st.timedeltas(timedelta(minutes=-20), timedelta(minutes=20)),
    st.sampled_from(["Asia/Jakarta", "Asia/Kathmandu", "Africa/Monrovia", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_the_day_is_that_of_the_zone_whatever_was_asked_before(instant: datetime, away: timedelta, zone: str) -> None:
    judge = Judge(registry(instansi=Instansi("uji", "Uji", zone)))
    for moment in (instant.replace(tzinfo=UTC), instant.replace(tzinfo=UTC) + away):
        micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        assert judge.day(micros) == moment.astimezone(judge.registry.instansi.zone).date()

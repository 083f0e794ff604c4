import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.errors import NaiveInstant
from shared.domain.submission.instant import FIRST_YEAR, LAST_YEAR, parse_instant
from shared.domain.window import local_day

WIB = ZoneInfo("Asia/Jakarta")
ZONES = [
    "Asia/Jakarta",
    "Asia/Jayapura",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Europe/Dublin",
    "UTC",
]
oracle = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)])
FIRST, LAST = datetime.fromisoformat("1900-01-02"), datetime.fromisoformat("9998-12-30")
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(FIRST, LAST, timezones=offsets)
# Times as they might be written: mostly right, each part now and then a little beyond its range or
# its grammar.
written = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    st.sampled_from(["1899", "1900", "2024", "2026", "9998", "9999", "0000", "026"])
    | st.integers(1900, 9998),
    st.integers(0, 13),
    st.integers(1, 31),
    st.sampled_from(["T", "t", " ", "T", "_", ""]),
    st.integers(0, 24),
    st.integers(0, 60),
    st.integers(0, 60),
    st.from_regex(r"(\.[0-9]{1,9})?", fullmatch=True)
    | st.sampled_from(["", ".", ",5", ".9999999", ".1234565"]),
    st.from_regex(r"[+-][012][0-9]:?[0-6][0-9]", fullmatch=True)
    | st.sampled_from(["Z", "z", "", "+07", "Z "]),
)


def decoded(text: str) -> datetime | None:
    """What a strict decoder makes of the text, within the years of the domain."""
    try:
        instant = oracle.decode(msgspec.json.encode(text))
    except msgspec.ValidationError:
        return None
    return instant if FIRST_YEAR <= instant.year <= LAST_YEAR else None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-05-04T09:12:00+07:00", datetime(2026, 5, 4, 9, 12, tzinfo=WIB)),
        ("2026-05-04t02:12:00z", datetime(2026, 5, 4, 2, 12, tzinfo=UTC)),
        ("2026-05-04 02:12:00Z", datetime(2026, 5, 4, 2, 12, tzinfo=UTC)),
        ("2026-05-04T09:12:00+0700", datetime(2026, 5, 4, 9, 12, tzinfo=WIB)),
        ("2026-05-04T02:12:00.5Z", datetime(2026, 5, 4, 2, 12, 0, 500_000, tzinfo=UTC)),
        ("2026-05-04T02:12:00.1234565Z", datetime(2026, 5, 4, 2, 12, 0, 123_457, tzinfo=UTC)),
        ("2026-12-31T23:59:59.9999999Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2024-02-29T00:00:00-00:00", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2026-05-04T00:00:00+23:59", datetime(2026, 5, 3, 0, 1, tzinfo=UTC)),
        ("2026-05-04T00:00:00-23:59", datetime(2026, 5, 4, 23, 59, tzinfo=UTC)),
    ],
)
def test_a_time_with_an_offset_is_understood(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-05-04",
        "2026-05-04T09:12:00",
        "2026-05-04T09:12Z",
        "2026-05-04T09:12:60Z",
        "2026-05-04T24:00:00Z",
        "2026-05-04T09:60:00Z",
        "2026-02-29T09:12:00Z",
        "2026-13-01T09:12:00Z",
        "2026-05-04T09:12:00.Z",
        "2026-05-04T09:12:00,5Z",
        "2026-05-04T09:12:00+07",
        "2026-05-04T09:12:00+24:00",
        "2026-05-04T09:12:00+07:60",
        "2026-05-04T09:12:00Z\n",
        " 2026-05-04T09:12:00Z",
        "20260504T091200Z",
        "٢٠٢٦-05-04T09:12:00Z",
        "1899-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "9998-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59.9999999Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_what_is_no_rfc_3339_time_with_an_offset_is_refused(text: str) -> None:
    assert parse_instant(text) is None
    assert decoded(text) is None


@given(instants)
def test_every_time_that_python_writes_is_read_back(instant: datetime) -> None:
    assert parse_instant(instant.isoformat()) == instant


@given(written | st.text(max_size=30))
@example("2026-05-04T09:12:00.1234565+07:00")
@example("9998-12-31T23:59:59.9999995Z")
def test_a_strict_decoder_and_the_domain_read_the_same_times(text: str) -> None:
    assert parse_instant(text) == decoded(text)


@given(st.text(max_size=40))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    instant = parse_instant(text)
    assert instant is None or instant.tzinfo is not None


def test_the_local_day_begins_at_local_midnight() -> None:
    assert local_day(datetime(2026, 5, 3, 16, 59, 59, tzinfo=UTC), WIB) == date(2026, 5, 3)
    assert local_day(datetime(2026, 5, 3, 17, 0, 0, tzinfo=UTC), WIB) == date(2026, 5, 4)


def test_a_time_without_an_offset_has_no_local_day() -> None:
    with pytest.raises(NaiveInstant, match=re.escape("2026-05-04T09:12:00")):
        local_day(datetime.fromisoformat("2026-05-04T09:12:00"), WIB)


@given(instants, offsets, st.sampled_from(ZONES))
def test_the_local_day_does_not_depend_on_the_offset_in_which_a_time_is_written(
    instant: datetime, offset: timezone, zone: str
) -> None:
    local_zone = ZoneInfo(zone)
    assert local_day(instant.astimezone(offset), local_zone) == local_day(instant, local_zone)


@given(instants, st.sampled_from(ZONES))
def test_the_local_day_is_at_most_one_day_from_the_day_in_utc(instant: datetime, zone: str) -> None:
    assert abs((local_day(instant, ZoneInfo(zone)) - instant.astimezone(UTC).date()).days) <= 1


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 3, 9), 24),
        ("America/New_York", date(2026, 11, 1), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # the clock went forward at midnight itself
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the day that Samoa left out
        ("Asia/Jakarta", date(2026, 3, 8), 24),
    ],
)
def test_each_hour_belongs_to_one_local_day_also_when_the_clock_is_changed(
    zone: str, day: date, hours: int
) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    around = (noon + timedelta(hours=hour) for hour in range(-48, 48))
    assert sum(local_day(instant, ZoneInfo(zone)) == day for instant in around) == hours

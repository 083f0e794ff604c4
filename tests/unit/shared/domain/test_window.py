from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import ReversedPeriod, UnknownStep, UnknownWindow
from shared.domain.window import (
    MOVING_DAYS,
    Window,
    buckets,
    is_public,
    named_window,
    public_windows,
    rolling_windows,
    window_between,
)

TODAY = date(2026, 11, 24)
days = st.dates(date(1901, 1, 1), date(9998, 12, 31))
steps = st.sampled_from(["day", "week", "month"])
ranges = st.tuples(st.dates(), st.integers(0, 500)).map(
    lambda pair: (
        pair[0],
        date.fromordinal(min(pair[0].toordinal() + pair[1], date.max.toordinal())),
    )
)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-11-24", "2026-11-24"),
        ("7d", "2026-11-18", "2026-11-24"),
        ("30d", "2026-10-26", "2026-11-24"),
        ("90d", "2026-08-27", "2026-11-24"),
        ("365d", "2025-11-25", "2026-11-24"),
        ("3m", "2026-09-01", "2026-11-30"),
        ("12m", "2025-12-01", "2026-11-30"),
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-S1", "2026-01-01", "2026-06-30"),
        ("2026-S2", "2026-07-01", "2026-12-31"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-Q3", "2026-07-01", "2026-09-30"),
        ("2026-05", "2026-05-01", "2026-05-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("9999-Q4", "9999-10-01", "9999-12-31"),
        ("0001", "0001-01-01", "0001-12-31"),
    ],
)
def test_a_name_says_its_days(name: str, first: str, last: str) -> None:
    assert named_window(name, TODAY) == Window(
        name, date.fromisoformat(first), date.fromisoformat(last)
    )


def test_all_is_open_at_both_ends() -> None:
    assert named_window("all", TODAY) == Window("all", None, None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "8d",
        "1d",
        "Today",
        "ALL",
        "26",
        "0000",
        "0000-Q1",
        "2026-Q0",
        "2026-Q5",
        "2026-S3",
        "2026-00",
        "2026-13",
        "2026-q1",
        "2026-5",
        "2026-05-04",
        "2026-",
        " 2026",
        "2026\n",
        "\uff12\uff10\uff12\uff16",
        "-2026",
        "12026",
        "2026-Q",
        "2026-S",
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(UnknownWindow):
        named_window(name, TODAY)


@given(st.text(max_size=12))
def test_any_text_is_a_window_or_unknown(name: str) -> None:
    try:
        window = named_window(name, TODAY)
    except UnknownWindow:
        return
    assert window.name == name


def test_the_windows_kept_ready_on_a_day_of_november() -> None:
    names = [window.name for window in rolling_windows(TODAY)]
    assert names == ["today", "7d", "30d", "90d", "365d", "2026-Q4", "2026-S2", "2026", "all"]


@given(days)
def test_every_window_kept_ready_holds_today_and_is_what_its_name_says(today: date) -> None:
    windows = rolling_windows(today)
    assert len({window.name for window in windows}) == len(windows) == 9
    for window in windows:
        assert today in window
        assert named_window(window.name, today) == window
    assert {*MOVING_DAYS, "all"} < {window.name for window in windows}


@given(days, st.sampled_from(sorted(MOVING_DAYS)))
def test_a_moving_window_has_as_many_days_as_it_says_and_ends_today(today: date, name: str) -> None:
    window = named_window(name, today)
    assert window.first is not None
    assert window.last == today
    assert (window.last - window.first).days + 1 == MOVING_DAYS[name]
    assert today + timedelta(days=1) not in window


@given(st.integers(1, 9999))
def test_the_parts_of_a_year_tile_it(year: int) -> None:
    whole = named_window(f"{year:04}", TODAY)
    for parts in (
        ["S1", "S2"],
        ["Q1", "Q2", "Q3", "Q4"],
        [f"{month:02}" for month in range(1, 13)],
    ):
        windows = [named_window(f"{year:04}-{part}", TODAY) for part in parts]
        assert (windows[0].first, windows[-1].last) == (whole.first, whole.last)
        for left, right in pairwise(windows):
            assert left.last is not None
            assert left.last + timedelta(days=1) == right.first


def test_a_window_of_any_days_is_named_by_them() -> None:
    window = window_between(date(2026, 1, 5), date(2026, 2, 1))
    assert window == Window("2026-01-05..2026-02-01", date(2026, 1, 5), date(2026, 2, 1))
    assert window_between(TODAY, TODAY).first == window_between(TODAY, TODAY).last == TODAY


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ReversedPeriod, match=r"2026-02-01\.\.2026-01-05"):
        window_between(date(2026, 2, 1), date(2026, 1, 5))


def test_a_window_holds_its_ends_and_nothing_beyond() -> None:
    window = window_between(date(2026, 1, 5), date(2026, 1, 7))
    assert [day for day in range(1, 11) if date(2026, 1, day) in window] == [5, 6, 7]


@given(steps, ranges)
def test_buckets_hold_every_day_exactly_once_and_in_order(
    step: str, period: tuple[date, date]
) -> None:
    first, last = period
    parts = buckets(step, first, last)
    covered = [day for start, end in parts for day in range(start.toordinal(), end.toordinal() + 1)]
    assert covered == list(range(first.toordinal(), last.toordinal() + 1))
    assert all(start <= end for start, end in parts)


@given(ranges)
def test_days_of_one_bucket_share_their_month_or_iso_week_and_neighbours_do_not(
    period: tuple[date, date],
) -> None:
    first, last = period
    months = [((a.year, a.month), (b.year, b.month)) for a, b in buckets("month", first, last)]
    weeks = [(a.isocalendar()[:2], b.isocalendar()[:2]) for a, b in buckets("week", first, last)]
    for parts in (months, weeks):
        assert all(start == end for start, end in parts)
        assert len({start for start, _ in parts}) == len(parts)


def test_weeks_begin_on_monday_and_are_cut_off_at_the_ends() -> None:
    assert buckets("week", date(2026, 11, 20), date(2026, 12, 1)) == [
        (date(2026, 11, 20), date(2026, 11, 22)),
        (date(2026, 11, 23), date(2026, 11, 29)),
        (date(2026, 11, 30), date(2026, 12, 1)),
    ]


@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_the_last_days_of_the_calendar_can_be_cut_too(step: str) -> None:
    assert buckets(step, date.max, date.max) == [(date.max, date.max)]


@pytest.mark.parametrize("step", ["", "hour", "Day", "year"])
def test_an_unknown_step_is_refused(step: str) -> None:
    with pytest.raises(UnknownStep):
        buckets(step, TODAY, TODAY)


def test_buckets_of_a_period_that_ends_before_it_begins_are_refused() -> None:
    with pytest.raises(ReversedPeriod):
        buckets("day", TODAY, TODAY - timedelta(days=1))


def test_the_public_windows_are_the_current_periods_moving_months_and_all() -> None:
    names = [window.name for window in public_windows(TODAY)]
    assert names == ["2026-11", "2026-Q4", "2026-S2", "2026", "3m", "12m", "all"]


@given(day=days)
def test_a_public_window_is_made_of_whole_months_and_the_current_one_is_among_them(
    day: date,
) -> None:
    for window in public_windows(day):
        assert day in window
        assert is_public(window.name)
        assert window.first is None or window.first.day == 1
        assert window.last is None or (window.last + timedelta(days=1)).day == 1


@pytest.mark.parametrize("name", [*MOVING_DAYS, "", "2026-13", "2026-05-01..2026-05-31", "6m"])
def test_days_are_not_public(name: str) -> None:
    assert not is_public(name)

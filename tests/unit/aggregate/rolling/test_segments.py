"""Windows as sums of segments of days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.rolling.segments import Calendar, Segments
from shared.domain.window import rolling_windows, window_between

DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))


@given(
    today=DAYS,
    counted=st.dictionaries(DAYS, st.integers(1, 1000), max_size=40),
    near=st.lists(st.integers(-400, 400)),
)
def test_the_segments_of_a_window_sum_to_its_days(
    today: date, counted: dict[date, int], near: list[int]
) -> None:
    counted |= {today + timedelta(days=distance): 7 for distance in near}
    calendar = Calendar.of(today)
    sums: dict[int, int] = {}
    for day, n in counted.items():
        segment = calendar.segments.of_day(day)
        sums[segment] = sums.get(segment, 0) + n
    for window in calendar.windows:
        direct = sum(n for day, n in counted.items() if day in window)
        assert direct == sum(
            n for segment, n in sums.items() if segment in calendar.segments.of_window(window)
        )


@given(today=DAYS, day=DAYS)
def test_days_before_yesterday_are_settled_and_no_others(today: date, day: date) -> None:
    calendar = Calendar.of(today)
    assert calendar.is_settled(calendar.segments.of_day(day)) == (day < today - timedelta(days=1))


def test_a_window_that_is_given_is_cut_out_exactly() -> None:
    window = window_between(date(2026, 3, 1), date(2026, 3, 31))
    segments = Segments.of([window])
    assert segments.borders == (date(2026, 3, 1), date(2026, 4, 1))
    assert list(segments.of_window(window)) == [1]


def test_rolling_windows_share_the_calendar() -> None:
    today = date(2026, 11, 3)
    assert Calendar.of(today).windows == rolling_windows(today)

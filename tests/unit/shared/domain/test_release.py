"""The release rule; each response is a power of two, so that a total says which are in a tally."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.release import (
    POOL,
    STEP,
    Bin,
    BinKey,
    faults,
    last_closed_day,
    last_day,
    release,
)
from shared.domain.tally import Tally
from shared.domain.window import period

NOW = datetime(2026, 5, 20, 5, tzinfo=UTC)
TODAY = date(2026, 5, 20)
MONTHS = ("2025-11", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")


def response(number: int) -> Tally:
    return Tally(1, (0, 0, 0, 1), 1, 1 << number, 4)


def members(tally: Tally) -> set[int]:
    return {number for number in range(tally.total.bit_length()) if tally.total >> number & 1}


@dataclass
class Model:
    """One OPD under the rule, and every step that it ever released."""

    live: dict[BinKey, Tally] = field(default_factory=dict)
    bins: dict[BinKey, Bin] = field(default_factory=dict)
    steps: list[tuple[BinKey, set[int]]] = field(default_factory=list)
    closed_to: date | None = None
    counted: int = 0

    def count(self, month: str, layanan: str, n: int, questionnaire: str = "skm") -> None:
        key = BinKey(month, layanan, questionnaire)
        for _ in range(n):
            tally = response(self.counted)
            self.live[key] = self.live[key] + tally if key in self.live else tally
            self.counted += 1

    def refresh(self, today: date = TODAY, close_days: int = 7, *, partly: bool = False) -> None:
        closed_to = last_closed_day(today, close_days)
        live = self.live
        if partly and closed_to == self.closed_to:  # nothing but open months was touched
            live = {key: tally for key, tally in live.items() if last_day(key.period) > closed_to}
        moved = release(self.bins, live, closed_to, NOW, is_new_close=closed_to != self.closed_to)
        for key, after in moved.items():
            before = self.bins.get(key, Bin.empty(1))
            assert after != before
            self._log(key, before, after)
        self.bins |= moved
        self.closed_to = closed_to
        assert not list(faults(self.bins, self.live))

    def _log(self, key: BinKey, before: Bin, after: Bin) -> None:
        assert after.steps - before.steps in {0, 1}
        if after.steps == before.steps:
            assert after.released == before.released
            return
        step = after.released - before.released
        assert step.n == len(members(step)) >= STEP
        self.steps.append((key, members(step)))

    def released(self, *keys: tuple[str, str]) -> list[int]:
        return [self.bins[BinKey(*key, "skm")].released.n for key in keys]

    def unreleased(self, key: BinKey) -> int:
        stored = self.bins.get(key, Bin.empty(1))
        return (stored.own(self.live[key]) - stored.released).n


def test_the_candidate_is_released_when_five_others_followed() -> None:
    opd, lab = Model(), BinKey("2026-05", "lab", "skm")
    public = []
    for _ in range(21):
        opd.count("2026-05", "lab", 1)
        opd.refresh()
        public.append(opd.bins[lab].released.n if lab in opd.bins else None)
    assert public == [None] * 4 + [0] * 5 + [5] * 5 + [10] * 5 + [15] * 2


def test_the_close_releases_everything_that_is_a_step() -> None:
    opd = Model()
    opd.count("2026-04", "lab", 13)
    opd.count("2026-04", "farmasi", 7)
    opd.refresh(date(2026, 5, 7))
    opd.count("2026-04", "lab", 2)
    opd.refresh(date(2026, 5, 7))
    assert opd.released(("2026-04", "lab"), ("2026-04", "farmasi")) == [0, 0]
    opd.count("2026-04", "lab", 3)
    opd.refresh(date(2026, 5, 7))
    opd.count("2026-04", "lab", 4)
    opd.refresh(date(2026, 5, 7))
    assert opd.released(("2026-04", "lab")) == [13]
    opd.refresh(date(2026, 5, 8))
    assert opd.released(("2026-04", "lab"), ("2026-04", "farmasi")) == [22, 7]
    assert [stored.candidate for stored in opd.bins.values()] == [None, None]


def test_leftovers_of_a_month_are_pooled_when_they_are_a_step_together() -> None:
    opd = Model()
    for layanan, n in (("lab", 2), ("farmasi", 3), ("imunisasi", 9)):
        opd.count("2026-04", layanan, n)
    opd.refresh()
    assert opd.released(("2026-04", POOL), ("2026-04", "imunisasi")) == [5, 9]
    assert opd.released(("2026-04", "lab"), ("2026-04", "farmasi")) == [0, 0]
    assert not any(stored.left for stored in opd.bins.values())


def test_what_the_month_cannot_pool_waits_for_the_triwulan_the_semester_the_year() -> None:
    opd = Model()
    for month, n in (
        ("2026-01", 2),
        ("2026-02", 2),
        ("2026-04", 3),
        ("2026-05", 3),
        ("2026-07", 4),
    ):
        opd.count(month, "lab", n)
    opd.refresh(date(2026, 7, 7))
    assert not opd.steps
    february = BinKey("2026-02", "lab", "skm")
    assert opd.bins[february].left == opd.live[february]
    opd.refresh(date(2026, 7, 8))  # June is closed: the second triwulan has 6, the first one 4
    assert opd.released(("2026-Q2", POOL)) == [6]
    opd.refresh(date(2027, 1, 8))  # the semester has nothing to add to the 4, the year has 4 more
    assert opd.released(("2026", POOL)) == [8]
    assert {key for key, _ in opd.steps} == {("2026-Q2", POOL, "skm"), ("2026", POOL, "skm")}
    assert not any(stored.left for stored in opd.bins.values())


def test_questionnaires_are_never_pooled_with_each_other() -> None:
    opd = Model()
    opd.count("2026-04", "lab", 3)
    opd.count("2026-04", "lab", 4, "lain")
    opd.refresh(date(2027, 1, 8))
    assert not opd.steps


def test_late_responses_are_released_at_once_when_they_are_a_step_and_else_pooled() -> None:
    opd = Model()
    opd.count("2026-04", "lab", 8)
    opd.refresh()
    opd.count("2026-04", "lab", 4)
    opd.count("2026-04", "farmasi", 0)
    opd.refresh()
    assert opd.released(("2026-04", "lab")) == [8]
    opd.count("2026-04", "lab", 1)
    opd.refresh()
    assert opd.released(("2026-04", "lab")) == [13]
    opd.count("2026-04", "lab", 2)
    opd.count("2026-04", "farmasi", 4)
    opd.refresh()
    assert opd.released(("2026-04", "lab"), ("2026-04", POOL)) == [13, 6]
    opd.count("2026-04", "farmasi", 4)
    opd.refresh()
    assert opd.released(("2026-04", "farmasi")) == [0]
    opd.count("2026-04", "farmasi", 1)  # what was pooled stays in the pool
    opd.refresh()
    assert opd.released(("2026-04", "farmasi"), ("2026-04", POOL)) == [5, 6]


def test_a_single_late_response_is_not_told_by_what_is_noted_as_left_out() -> None:
    opd = Model()
    opd.count("2026-04", "lab", 8)
    opd.count("2026-03", "farmasi", 2)
    opd.refresh()
    noted = {key: stored.left for key, stored in opd.bins.items()}
    for layanan in ("lab", "farmasi", "imunisasi"):
        opd.count("2026-04", layanan, 1)
        opd.count("2026-03", layanan, 1)
    opd.refresh()
    opd.count("2026-03", "farmasi", 1)
    opd.refresh()
    assert {key: stored.left for key, stored in opd.bins.items() if key in noted} == {
        **noted,
        BinKey("2026-03", "farmasi", "skm"): None,  # pooled: five of the month were left over
    }
    assert opd.released(("2026-03", POOL)) == [5]


@pytest.mark.parametrize("close_days", [1, 7, 31, 90])
def test_a_month_is_closed_when_so_many_days_passed_after_it(close_days: int) -> None:
    for distance in range(400):
        today = TODAY + timedelta(days=distance)
        closed_to = last_closed_day(today, close_days)
        next_month = closed_to + timedelta(days=1)
        assert next_month.day == 1
        assert today > closed_to + timedelta(days=close_days)
        assert today <= last_day(f"{next_month:%Y-%m}") + timedelta(days=close_days)


def test_a_clock_that_jumps_to_next_year_and_back_takes_nothing_back() -> None:
    opd = Model()
    opd.count("2026-05", "lab", 8)
    opd.count("2026-05", "farmasi", 4)
    opd.count("2026-04", "farmasi", 4)
    opd.refresh(date(2027, 3, 1))
    assert opd.released(("2026-05", "lab"), ("2026-Q2", POOL)) == [8, 8]
    opd.count("2026-05", "lab", 4)
    opd.count("2026-05", "farmasi", 9)
    opd.refresh()
    assert opd.released(("2026-05", "lab"), ("2026-05", "farmasi"), ("2026-Q2", POOL)) == [8, 0, 8]
    opd.count("2026-05", "farmasi", 5)
    opd.refresh()
    assert opd.released(("2026-05", "farmasi")) == [9]
    opd.refresh(date(2026, 6, 8))
    assert opd.released(("2026-05", "farmasi")) == [14]


def test_tallies_that_were_mended_downwards_move_nothing_until_they_are_a_step_past() -> None:
    opd, lab = Model(), BinKey("2026-04", "lab", "skm")
    opd.count("2026-04", "lab", 9)
    opd.refresh()
    mended = {lab: opd.live[lab] - response(0) - response(1)}
    assert not release(opd.bins, mended, last_day("2026-04"), NOW, is_new_close=True)
    assert list(faults(opd.bins, mended)) == [(lab, "more was released and pooled than is counted")]


counts = st.tuples(
    st.sampled_from(MONTHS),
    st.sampled_from(["lab", "farmasi", "imunisasi"]),
    st.sampled_from([1, 1, 1, 2, 3, 4, 5, 6, 11]),
    st.sampled_from(["skm", "skm", "skm", "lain"]),
)
days = st.integers(-40, 400) | st.integers(0, 40)
events = st.lists(
    st.tuples(st.lists(counts, max_size=6), st.none() | days, st.booleans()), max_size=25
)


@settings(deadline=None, max_examples=150)
@given(events)
def test_every_response_is_released_in_one_step_of_five_or_more(
    history: list[tuple[list[tuple[str, str, int, str]], int | None, bool]],
) -> None:
    opd, today = Model(), TODAY
    for arrivals, days_ahead, partly in history:
        for month, layanan, n, questionnaire in arrivals:
            opd.count(month, layanan, n, questionnaire)
        today = TODAY if days_ahead is None else TODAY + timedelta(days=days_ahead)
        steps_before = len(opd.steps)
        opd.refresh(today, partly=partly and not touches_closed(arrivals, today))
        check_what_is_left(opd, opd.steps[steps_before:], today)
    opd.refresh(date(2030, 1, 1))
    check_the_steps(opd)
    check_the_end(opd)


def touches_closed(arrivals: Iterable[tuple[str, str, int, str]], today: date) -> bool:
    return any(last_day(month) <= last_closed_day(today, 7) for month, *_ in arrivals)


def check_what_is_left(opd: Model, steps: list[tuple[BinKey, set[int]]], today: date) -> None:
    """After a step none or five and more of the bin are unreleased, until it is closed."""
    for key, _ in steps:
        if key.layanan != POOL and last_day(key.period) > last_closed_day(today, 7):
            assert opd.unreleased(key) >= STEP


def check_the_steps(opd: Model) -> None:
    """They are disjoint, and what is public is a sum of whole ones, bin by bin."""
    released: set[int] = set()
    by_bin: dict[BinKey, set[int]] = {}
    for key, step in opd.steps:
        assert not released & step
        released |= step
        by_bin.setdefault(key, set()).update(step)
    public = {key: members(stored.released) for key, stored in opd.bins.items()}
    assert {key: step for key, step in public.items() if step} == by_bin


def check_the_end(opd: Model) -> None:
    """Long after, each period lacks less than a step of each questionnaire, and says so."""
    for name in (*MONTHS, "2025-Q4", "2026-Q1", "2026-Q2", "2026-S1", "2026"):
        for questionnaire in ("skm", "lain"):
            inside = {
                key: tally
                for key, tally in opd.live.items()
                if key.questionnaire == questionnaire and covers(name, key)
            }
            public = sum(
                stored.released.n
                for key, stored in opd.bins.items()
                if key.questionnaire == questionnaire and covers(name, key)
            )
            lacking = sum(tally.n for tally in inside.values()) - public
            assert lacking >= 0
            assert (lacking > 0) == any(lacks(opd.bins, key, name) for key in inside)
            if name in {"2025-Q4", "2026"}:
                assert lacking < STEP


def covers(name: str, key: BinKey) -> bool:
    return period(name).covers(period(key.period))


def lacks(bins: Mapping[BinKey, Bin], key: BinKey, name: str) -> bool:
    stored = bins.get(key)
    return stored is not None and (
        stored.left is not None
        or any(not period(name).covers(period(pool)) for pool in stored.pooled)
    )

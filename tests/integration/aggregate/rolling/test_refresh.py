"""Refresh: from the day tallies to the rolling table, on a real PostgreSQL."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.aggregate.rolling import refresh as refreshing
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.rolling.rolling_rows import WindowSummary, window_summary
from services.aggregate.rolling.summary import summarise
from shared.domain.ikm import EXACT, SCHEMES
from shared.domain.questionnaire import SKM_2017
from shared.domain.tally import Tally
from shared.domain.window import rolling_windows
from shared.registry.snapshot import Registry
from shared.storage import rolling, tables
from shared.storage.engine import create_engine, opened, transaction
from shared.storage.registry import stored_registry
from tests.builders import stopped_clock, tally_of
from tests.integration.aggregate import tally_seed as seed

TODAY = date(2026, 11, 3)
NOON = datetime(2026, 11, 3, 5, tzinfo=UTC)  # 12:00 in Jakarta
JUST_BEFORE, JUST_AFTER = (
    datetime(2026, 11, 3, 16, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 3, 17, 0, 1, tzinfo=UTC),
)
DAY = timedelta(days=1)
OPDS = {"dinkes": {"farmasi": 1000, "imunisasi": 500}, "dukcapil": {"ktp-el": 12000}}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with opened(database_url, pool_size=8) as engine:
        with transaction(engine) as connection:
            seed.registry(connection, {opd: dict(layanan) for opd, layanan in OPDS.items()})
        yield engine


def registry(engine: sa.Engine) -> Registry:
    with engine.connect() as connection:
        return stored_registry.load(connection)


def table(engine: sa.Engine) -> dict[tuple[str, str, str], rolling.RollingRow]:
    with engine.connect() as connection:
        return {(row.opd, row.layanan, row.window): row for row in rolling.read_rows(connection)}


def figures(engine: sa.Engine) -> dict[tuple[str, str, str], WindowSummary]:
    return {key: window_summary(row) for key, row in table(engine).items()}


def test_a_count_is_in_every_window_of_its_layanan_its_opd_and_the_instansi(
    engine: sa.Engine,
) -> None:
    seed.counted(engine, "dukcapil", "ktp-el", TODAY, "443444433", today=TODAY)
    assert refresh(engine, registry(engine), stopped_clock(NOON), Cache()) == 1
    rows = table(engine)
    for window in rolling_windows(TODAY):
        for opd, layanan in (("dukcapil", "ktp-el"), ("dukcapil", ""), ("", "")):
            row = rows[opd, layanan, window.name]
            assert (row.respondents, row.ikm, row.mutu) == (1, Decimal("91.67"), "A")
            assert (row.first, row.last, row.computed_at) == (window.first, window.last, NOON)
    detail = json.loads(bytes(rows["dukcapil", "", "30d"].detail))
    assert detail["sample"] == {"population": 12000, "required": 372, "achieved": 1}
    assert detail["unsur"][2] == {
        "code": "U3", "key": "waktu", "name": "Waktu Penyelesaian",
        "answered": 1, "nrr": 3.0, "ikm": 75.0, "mutu": "C",
    }  # fmt: skip
    assert json.loads(bytes(rows["", "", "30d"].detail))["sample"]["population"] == 13500


def test_a_layanan_without_answers_has_rows_without_an_index(engine: sa.Engine) -> None:
    seed.counted(engine, "dinkes", "farmasi", TODAY, "443444433", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(NOON), Cache())
    row = table(engine)["dinkes", "imunisasi", "7d"]
    assert (row.respondents, row.ikm, row.mutu, row.ci_low) == (0, None, None, None)


def test_every_window_is_the_direct_sum_of_its_days(engine: sa.Engine) -> None:
    rng, cache = random.Random(7), Cache()
    days = [
        TODAY - DAY * distance
        for distance in (0, 1, 2, 6, 7, 29, 30, 34, 89, 90, 125, 126, 306, 307, 364, 365, 900)
    ]
    answers: list[tuple[str, str, date, str]] = []
    for turn in range(4):
        for day in rng.sample([*days, TODAY + DAY], 9):
            opd = rng.choice(list(OPDS))
            layanan, answer = rng.choice(list(OPDS[opd])), "".join(rng.choices("1234-", k=9))
            seed.counted(engine, opd, layanan, day, answer, today=TODAY)
            answers.append((opd, layanan, day, answer))
        refresh(engine, registry(engine), stopped_clock(NOON + timedelta(seconds=turn)), cache)
        assert figures(engine) == expected(engine, answers)


def expected(
    engine: sa.Engine, answers: list[tuple[str, str, date, str]]
) -> dict[tuple[str, str, str], WindowSummary]:
    """The whole table, computed from the answers; of rows and roll-ups what can be said simply."""
    contents = figures(engine)
    groups = [
        ("", ""),
        *((opd, "") for opd in OPDS),
        *((opd, layanan) for opd, of_opd in OPDS.items() for layanan in of_opd),
    ]
    users: dict[tuple[str, str], int] = {
        (opd, layanan): n for opd, of_opd in OPDS.items() for layanan, n in of_opd.items()
    }
    seen = {opd for opd, *_ in answers}
    for opd, layanan in groups:
        population = sum(
            n for key, n in users.items() if opd in {"", key[0]} and layanan in {"", key[1]}
        )
        for window in rolling_windows(TODAY):
            total = Tally.zero(9)
            for at_opd, at_layanan, day, answer in answers:
                if opd in {"", at_opd} and layanan in {"", at_layanan} and day in window:
                    total += tally_of(
                        [None if digit == "-" else int(digit) for digit in answer], SKM_2017.weights
                    )
            if not opd or opd in seen:
                direct = summarise(SKM_2017, total, population, EXACT)
                content = contents[opd, layanan, window.name]
                contents[opd, layanan, window.name] = content._replace(
                    window=window, summary=direct
                )
    return contents


def test_without_a_change_nothing_is_done(engine: sa.Engine) -> None:
    cache = Cache()
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 0
    seed.counted(engine, "dinkes", "farmasi", TODAY, "443444433", today=TODAY)
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 1
    assert refresh(engine, registry(engine), stopped_clock(NOON + DAY / 24), cache) == 0


def test_only_changed_rows_are_written_and_others_keep_the_time_of_their_last_count(
    engine: sa.Engine,
) -> None:
    cache = Cache()
    seed.counted(engine, "dinkes", "farmasi", TODAY, "443444433", today=TODAY)
    seed.counted(engine, "dukcapil", "ktp-el", TODAY, "443444433", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(NOON), cache)
    later = NOON + timedelta(seconds=5)
    seed.counted(engine, "dinkes", "imunisasi", TODAY - 40 * DAY, "443444433", today=TODAY)
    assert refresh(engine, registry(engine), stopped_clock(later), cache) == 1
    moved = {key for key, row in table(engine).items() if row.computed_at == later}
    touched = {"90d", "365d", "2026-S2", "2026", "all"}
    assert moved == {
        (opd, layanan, window)
        for opd, layanan in (("dinkes", "imunisasi"), ("dinkes", ""), ("", ""))
        for window in touched
    }


def test_a_new_process_writes_the_same_table(engine: sa.Engine) -> None:
    seed.counted(
        engine, "dinkes", "farmasi", TODAY - 3 * DAY, "443444433", "32-222222", today=TODAY
    )
    refresh(engine, registry(engine), stopped_clock(NOON), Cache())
    before = table(engine)
    with transaction(engine) as connection:
        connection.execute(sa.update(tables.opd_state).values(refreshed=0))
    assert refresh(engine, registry(engine), stopped_clock(NOON + DAY / 24), Cache()) == 1
    assert table(engine) == before


def test_what_another_process_wrote_meanwhile_is_overwritten_whole(engine: sa.Engine) -> None:
    mine, theirs = Cache(), Cache()
    for turn, cache in enumerate([mine, theirs, mine, theirs, theirs, mine]):
        seed.counted(
            engine,
            "dinkes",
            "farmasi",
            TODAY - turn * DAY,
            "44344443" + str(turn % 4 + 1),
            today=TODAY,
        )
        refresh(engine, registry(engine), stopped_clock(NOON + turn * timedelta(seconds=1)), cache)
        written = figures(engine)
        with transaction(engine) as connection:
            connection.execute(
                sa.delete(tables.rolling_ikm).where(tables.rolling_ikm.c.opd == "nobody")
            )
        forget_and_refresh(engine)
        assert figures(engine) == written


def forget_and_refresh(engine: sa.Engine) -> None:
    """As a process without any memory does it, over an empty table; then as it was before."""
    with transaction(engine) as connection:
        states = connection.execute(sa.select(tables.opd_state)).mappings().all()
        kept = connection.execute(sa.select(tables.rolling_ikm)).mappings().all()
        connection.execute(sa.delete(tables.rolling_ikm))
        connection.execute(sa.update(tables.opd_state).values(refreshed=0))
    refresh(engine, registry(engine), stopped_clock(NOON), Cache())
    fresh = figures(engine)
    with transaction(engine) as connection:
        connection.execute(sa.delete(tables.rolling_ikm))
        connection.execute(insert(tables.rolling_ikm), [dict(row) for row in kept])
        for state in states:
            connection.execute(
                sa.update(tables.opd_state)
                .where(tables.opd_state.c.opd == state["opd"])
                .values(dict(state))
            )
    assert figures(engine) == fresh


def test_what_is_counted_while_a_refresh_reads_leaves_its_opd_stale(engine: sa.Engine) -> None:
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    other = create_engine(engine.url.render_as_string(hide_password=False))
    counted = threading.Event()

    def count_after_versions_are_read(_c: object, _cu: object, statement: str, *_: object) -> None:
        if "FROM opd_state" in statement and not counted.is_set():
            counted.set()
            seed.counted(other, "dinkes", "farmasi", TODAY, "111111111", today=TODAY)

    sa.event.listen(engine, "after_cursor_execute", count_after_versions_are_read)
    cache = Cache()
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 1
    sa.event.remove(engine, "after_cursor_execute", count_after_versions_are_read)
    assert counted.is_set()
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 1
    assert table(engine)["dinkes", "", "today"].ikm == Decimal("62.50")
    other.dispose()


def test_midnight_moves_every_window_and_keeps_the_time_of_the_last_count(
    engine: sa.Engine,
) -> None:
    cache = Cache()
    seed.counted(engine, "dinkes", "farmasi", TODAY, "443444433", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(JUST_BEFORE), cache)
    assert table(engine)["dinkes", "", "today"].respondents == 1
    assert refresh(engine, registry(engine), stopped_clock(JUST_AFTER), cache) == 1
    rows = table(engine)
    assert (rows["dinkes", "", "today"].first, rows["dinkes", "", "today"].respondents) == (
        TODAY + DAY,
        0,
    )
    assert (rows["dinkes", "", "7d"].respondents, rows["dinkes", "", "7d"].last) == (
        1,
        TODAY + DAY,
    )
    assert rows["dinkes", "", "7d"].computed_at == JUST_BEFORE


def test_windows_of_a_past_period_are_dropped(engine: sa.Engine) -> None:
    cache = Cache()
    seed.counted(engine, "dinkes", "farmasi", date(2026, 12, 31), "443444433", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(datetime(2026, 12, 31, 16, tzinfo=UTC)), cache)
    assert {key[2] for key in table(engine)} >= {"2026", "2026-S2", "2026-Q4"}
    refresh(engine, registry(engine), stopped_clock(datetime(2026, 12, 31, 17, tzinfo=UTC)), cache)
    assert {key[2] for key in table(engine)} == {
        window.name for window in rolling_windows(date(2027, 1, 1))
    }


def test_a_batch_from_before_midnight_that_lands_after_it_is_seen(engine: sa.Engine) -> None:
    cache = Cache()
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(JUST_AFTER), cache)
    # Its own today was still TODAY: it does not say that it touched the past.
    seed.counted(engine, "dinkes", "farmasi", TODAY, "111111111", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(JUST_AFTER), cache)
    assert table(engine)["dinkes", "", "7d"].ikm == Decimal("62.50")


def test_rows_that_were_rolled_too_far_come_back_to_today(engine: sa.Engine) -> None:
    """The clock was in tomorrow for a moment, and some OPDs were rolled there."""
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(JUST_AFTER), Cache())
    seed.counted(engine, "dinkes", "farmasi", TODAY + DAY, "111111111", today=TODAY + DAY)
    assert refresh(engine, registry(engine), stopped_clock(JUST_BEFORE), Cache()) == 1
    row = table(engine)["dinkes", "", "today"]
    assert (row.first, row.ikm, row.computed_at) == (TODAY, Decimal("100.00"), JUST_BEFORE)
    assert refresh(engine, registry(engine), stopped_clock(JUST_AFTER), Cache()) == 1
    assert table(engine)["dinkes", "", "today"].ikm == Decimal("25.00")


def test_a_day_from_a_wildly_wrong_clock_is_corrected(engine: sa.Engine) -> None:
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(NOON + 30 * DAY), Cache())
    refresh(engine, registry(engine), stopped_clock(NOON), Cache())
    assert table(engine)["dinkes", "", "today"].first == TODAY


def test_two_refreshes_at_once_leave_the_newer_state(engine: sa.Engine) -> None:
    """Both wait for the lock; the second must not bring back what the first has replaced."""
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    current = registry(engine)
    for turn in range(6):
        with ThreadPoolExecutor(2) as pool, engine.connect() as holder:
            rolling.begin_refresh(holder)
            late = pool.submit(refresh, engine, current, stopped_clock(JUST_BEFORE), Cache())
            early = pool.submit(refresh, engine, current, stopped_clock(JUST_AFTER), Cache())
            seed.counted(engine, "dinkes", "farmasi", TODAY, "111111111", today=TODAY + DAY)
            holder.rollback()
            assert {late.result(30), early.result(30)} <= {0, 1}
        refresh(engine, current, stopped_clock(JUST_AFTER), Cache())
        row = table(engine)["dinkes", "", "7d"]
        assert (row.last, row.respondents) == (TODAY + DAY, turn + 2)


def test_counting_and_refreshing_at_once_end_in_the_table_of_a_fresh_process(
    engine: sa.Engine,
) -> None:
    current = registry(engine)
    stop = threading.Event()

    def keep_refreshing() -> int:
        cache, done = Cache(), 0
        while not stop.is_set():
            done += refresh(engine, current, stopped_clock(NOON), cache)
        return done + refresh(engine, current, stopped_clock(NOON), cache)

    def keep_counting(number: int) -> None:
        rng = random.Random(number)
        for _ in range(25):
            opd = rng.choice(list(OPDS))
            layanan, day = (
                rng.choice(list(OPDS[opd])),
                TODAY - rng.choice([0, 0, 0, 1, 2, 40]) * DAY,
            )
            seed.counted(engine, opd, layanan, day, "".join(rng.choices("1234", k=9)), today=TODAY)

    with ThreadPoolExecutor(5) as pool:
        refreshing = [pool.submit(keep_refreshing) for _ in range(2)]
        for counting in [pool.submit(keep_counting, number) for number in range(3)]:
            counting.result(50)
        stop.set()
        assert sum(future.result(30) for future in refreshing) >= 2
    assert table(engine)["", "", "all"].respondents == 75
    forget_and_refresh(engine)


def test_a_failed_refresh_changes_nothing_and_the_next_one_writes_everything(
    engine: sa.Engine,
) -> None:
    cache = Cache()
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(NOON), cache)
    seed.counted(engine, "dinkes", "farmasi", TODAY, "111111111", today=TODAY)

    def fail(_c: object, _cu: object, statement: str, *_: object) -> None:
        if "pg_notify" in statement:
            raise TimeoutError

    sa.event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(TimeoutError):
        refresh(engine, registry(engine), stopped_clock(NOON), cache)
    sa.event.remove(engine, "before_cursor_execute", fail)
    assert table(engine)["dinkes", "", "all"].respondents == 1
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 1
    assert table(engine)["dinkes", "", "all"].respondents == 2


def test_both_roll_ups_are_kept_and_the_registry_names_the_primary_one(engine: sa.Engine) -> None:
    cache = Cache()
    seed.counted(
        engine, "dinkes", "farmasi", TODAY, "444444444", "444444444", "444444444", today=TODAY
    )
    seed.counted(engine, "dukcapil", "ktp-el", TODAY, "222222222", today=TODAY)
    refresh(engine, registry(engine), stopped_clock(NOON), cache)
    row = table(engine)["", "", "today"]
    rollup = json.loads(bytes(row.detail))["rollup"]
    assert (rollup["primary"], rollup["pooled"]["ikm"]) == ("pooled", 87.5)
    assert (rollup["mean"]["ikm"], rollup["mean"]["opd"]) == (75.0, 2)
    assert (row.ikm, row.mutu) == (Decimal("87.50"), "B")
    with transaction(engine) as connection:
        connection.execute(sa.update(tables.instansi).values(primary_rollup="mean"))
        connection.execute(sa.update(tables.registry_version).values(version=2))
        connection.execute(
            sa.update(tables.opd_state).values(version=tables.opd_state.c.version + 1)
        )
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 2
    row = table(engine)["", "", "today"]
    assert (row.ikm, row.mutu, row.ci_low, row.respondents) == (Decimal("75.00"), "C", None, 4)


def test_a_registry_that_is_behind_is_read_anew(engine: sa.Engine) -> None:
    behind = registry(engine)
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    with transaction(engine) as connection:
        connection.execute(sa.update(tables.instansi).values(scheme="0.11"))
        connection.execute(sa.update(tables.registry_version).values(version=2))
    refresh(engine, behind, stopped_clock(NOON), Cache())
    row = table(engine)["dinkes", "", "all"]
    assert (row.ikm, row.scheme) == (Decimal("99.00"), "0.11")
    assert json.loads(bytes(row.detail))["comparison"] == {"0.111": 99.9, "exact": 100.0}
    assert set(SCHEMES) == {"exact", "0.11", "0.111"}


def test_readers_hear_which_opds_changed_when_it_is_committed(engine: sa.Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as listener:
        rolling.listen(listener)
        seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
        assert rolling.wait_for_announced_opds(listener, 0.05) == set()
        refresh(engine, registry(engine), stopped_clock(NOON), Cache())
        heard = rolling.wait_for_announced_opds(listener, 5)
        while heard != {"dinkes", ""}:
            heard |= rolling.wait_for_announced_opds(listener, 5)


def test_an_opd_that_cannot_be_worked_out_stops_no_other_and_comes_back_when_it_is_mended(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, break_it = Cache(), "UPDATE day_tally SET questionnaire = :code WHERE opd = 'dinkes'"
    seed.counted(engine, "dinkes", "farmasi", TODAY, "444444444", today=TODAY)
    seed.counted(engine, "dukcapil", "ktp-el", TODAY, "444444444", today=TODAY)
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 2
    with transaction(engine) as connection:
        connection.execute(sa.text(break_it), {"code": "hilang"})
    for turn in range(2):
        seed.counted(engine, "dinkes", "farmasi", TODAY, "111111111", today=TODAY)
        seed.counted(engine, "dukcapil", "ktp-el", TODAY, "111111111", today=TODAY)
        assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 1
        assert cache.sick() == {"dinkes"}
        rows = table(engine)
        assert rows["dukcapil", "", "today"].respondents == 2 + turn
        assert rows["dinkes", "", "today"].respondents == 1
        assert rows["", "", "today"].respondents == 2, "the instansi needs all of them"
    with transaction(engine) as connection:
        connection.execute(
            sa.text("DELETE FROM day_tally WHERE questionnaire <> 'hilang' AND opd = 'dinkes'")
        )
        connection.execute(sa.text(break_it), {"code": SKM_2017.code})
    monkeypatch.setattr(refreshing, "SICK_S", 0.0)
    cache.sick_until_s.clear()
    assert refresh(engine, registry(engine), stopped_clock(NOON), cache) == 1
    assert table(engine)["", "", "today"].respondents == 4

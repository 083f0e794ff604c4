"""What the public sees follows the tallies by the release rule, on a real PostgreSQL."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from services.aggregate.rolling.refresh import Cache
from services.aggregate.rolling.released.calendar import Pace
from shared.domain.release import BinKey
from shared.storage import tables
from shared.storage.engine import opened, transaction
from tests.integration.aggregate import tally_seed as seed
from tests.integration.aggregate.rolling.released_town import DAY, OPDS, TODAY, Town, noon

SECOND = timedelta(seconds=1)
PAST = date(2026, 10, 12)
GOOD, BAD = "443444433", "111111111"


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    with opened(database_url, pool_size=8) as engine:
        with transaction(engine) as connection:
            seed.registry(connection, {opd: dict(layanan) for opd, layanan in OPDS.items()})
        yield Town(engine)


def respondents(town: Town, window: str) -> dict[tuple[str, str], int]:
    return {
        (opd, layanan): row.respondents
        for (opd, layanan, name), row in town.rows().items()
        if name == window and row.respondents
    }


def test_the_public_sees_five_when_ten_were_counted_and_nothing_before(town: Town) -> None:
    for turn in range(10):
        town.count("dukcapil", "ktp-el", TODAY, GOOD if turn < 5 else BAD)
        assert respondents(town, "2026-11") == {}
        town.refresh()
        town.check()
    assert respondents(town, "2026-11") == {
        ("dukcapil", "ktp-el"): 5, ("dukcapil", ""): 5, ("", ""): 5,
    }  # fmt: skip
    rows = town.rows()
    for window in ("2026-11", "2026-Q4", "2026-S2", "2026", "3m", "12m", "all"):
        row = rows["dukcapil", "ktp-el", window]
        assert (row.ikm, row.mutu, row.released_at, row.withheld, row.version) == (
            Decimal("91.67"), "A", town.now, False, 1,
        )  # fmt: skip
        nothing = rows["dinkes", "", window] if "dinkes" in {key[0] for key in rows} else None
        assert nothing is None or (nothing.ikm, nothing.withheld) == (None, True)


def test_two_steps_of_a_bin_are_ten_seconds_apart_until_the_day_is_over(town: Town) -> None:
    town.pace = Pace(between=timedelta(seconds=10))
    public = []
    for _ in range(24):
        town.count("dukcapil", "ktp-el", TODAY, *[GOOD] * 5)
        town.refresh()
        town.check()
        public.append(town.rows()["dukcapil", "", "all"].respondents)
    assert public == [0, *[5] * 10, *[10] * 10, *[60] * 3]
    town.now += DAY
    town.refresh()
    assert town.rows()["dukcapil", "", "all"].respondents == 110


def test_a_layanan_without_a_step_is_withheld_whether_it_has_responses_or_not(town: Town) -> None:
    town.count("dinkes", "farmasi", TODAY, *[GOOD] * 4)
    town.refresh()
    rows = town.rows()
    counted, empty = rows["dinkes", "farmasi", "2026-11"], rows["dinkes", "imunisasi", "2026-11"]
    for row in (counted, empty, rows["", "", "all"]):
        assert (row.respondents, row.ikm, row.released_at) == (0, None, None)
        assert row.withheld


def test_a_month_is_closed_by_the_refresh_of_the_day(town: Town) -> None:
    town.now = noon(date(2026, 11, 7))
    town.count("dinkes", "farmasi", PAST, *[GOOD] * 8)
    town.count("dinkes", "imunisasi", PAST, *[BAD] * 3)
    town.refresh()
    assert respondents(town, "all") == {}
    town.now = noon(date(2026, 11, 8))
    assert town.refresh() == 1
    town.check()
    assert respondents(town, "all") == {("dinkes", "farmasi"): 8, ("dinkes", ""): 8, ("", ""): 8}
    assert town.rows()["dinkes", "", "2026-Q4"].withheld
    assert not town.rows()["dinkes", "farmasi", "2026-Q4"].withheld
    assert not town.rows()["dinkes", "", "2026-11"].ikm


def test_leftovers_of_two_layanan_are_in_the_pool_of_the_opd(town: Town) -> None:
    town.now = noon(date(2026, 11, 8))
    town.count("dinkes", "farmasi", PAST, *[GOOD] * 3)
    town.count("dinkes", "imunisasi", PAST, *[BAD] * 2)
    town.refresh()
    town.check()
    assert respondents(town, "3m") == {("dinkes", ""): 5, ("", ""): 5}
    rows = town.rows()
    assert not rows["dinkes", "", "3m"].withheld
    assert rows["dinkes", "farmasi", "3m"].withheld
    pool = town.bins()["dinkes"][BinKey("2026-10", "", "skm-2017")]
    assert (pool.released.n, pool.steps) == (5, 1)


def test_a_home_that_was_filled_before_gets_its_releases_by_the_first_refresh(town: Town) -> None:
    town.now = noon(date(2026, 11, 8))
    town.count("dukcapil", "ktp-el", PAST, *[GOOD] * 7)
    town.count("dukcapil", "ktp-el", date(2026, 11, 8), *[GOOD] * 7)
    town.refresh()
    with transaction(town.engine) as connection:  # as the migration finds it
        connection.execute(sa.delete(tables.released_tally))
        connection.execute(sa.delete(tables.released_ikm))
        state = tables.opd_state
        connection.execute(sa.update(state).values(closed_to=None, releases=0, past_releases=0))
    town.caches = [Cache()]
    assert town.refresh() == 1
    town.check()
    assert respondents(town, "2026") == {
        ("dukcapil", "ktp-el"): 7, ("dukcapil", ""): 7, ("", ""): 7,
    }  # fmt: skip
    assert town.bins()["dukcapil"][BinKey("2026-11", "ktp-el", "skm-2017")].candidate
    assert town.refresh() == 0


def test_a_refresh_that_fails_moves_neither_the_live_nor_the_public_figures(town: Town) -> None:
    town.count("dukcapil", "ktp-el", TODAY, *[GOOD] * 5)
    town.refresh()
    before = town.bins(), town.rows()
    town.count("dukcapil", "ktp-el", TODAY, *[GOOD] * 5)

    def fail(_c: object, _cu: object, statement: str, *_: object) -> None:
        if "UPDATE opd_state" in statement:
            raise TimeoutError

    sa.event.listen(town.engine, "before_cursor_execute", fail)
    with pytest.raises(TimeoutError):
        town.refresh()
    sa.event.remove(town.engine, "before_cursor_execute", fail)
    assert (town.bins(), town.rows()) == before
    town.refresh()
    town.check()
    assert respondents(town, "all")["", ""] == 5


def test_the_registry_s_change_of_the_scheme_changes_public_rows_and_no_bin(town: Town) -> None:
    town.count("dukcapil", "ktp-el", TODAY, *[GOOD] * 5)
    town.refresh()
    town.count("dukcapil", "ktp-el", TODAY, *[GOOD] * 5)
    town.refresh()
    stored = town.bins()
    with transaction(town.engine) as connection:
        connection.execute(sa.update(tables.instansi).values(scheme="0.11"))
        connection.execute(sa.update(tables.registry_version).values(version=2))
        version = tables.opd_state.c.version + 1
        connection.execute(
            sa.update(tables.opd_state).values(version=version, past_version=version)
        )
    town.refresh()
    town.check()
    assert town.bins() == stored
    assert town.rows()["dukcapil", "", "all"].ikm == Decimal("90.75")


def test_a_layanan_that_the_registry_does_not_have_is_released_like_others(town: Town) -> None:
    for _ in range(2):
        town.count("dinkes", "tutup", TODAY, *[GOOD] * 5)
        town.count("bubar", "arsip", TODAY, *[GOOD] * 5)
        town.refresh()
    assert respondents(town, "2026") == {
        ("dinkes", "tutup"): 5, ("dinkes", ""): 5,
        ("bubar", "arsip"): 5, ("bubar", ""): 5, ("", ""): 10,
    }  # fmt: skip


@pytest.mark.parametrize("number", range(2))
def test_workers_with_old_memories_move_bins_as_the_rule_does_from_nothing(
    town: Town, number: int
) -> None:
    rng = random.Random(number)
    town.caches = [Cache(), Cache(), Cache()]
    for _ in range(30):
        if rng.random() < 0.2:
            town.now += DAY * rng.choice([1, 1, 3, 9, 31, -2])
        for _ in range(rng.choice([0, 1, 2, 3])):
            opd = rng.choice(list(OPDS))
            layanan = rng.choice(list(OPDS[opd]))
            day = town.today - DAY * rng.choice([0, 0, 0, 0, 1, 2, 33, 70])
            town.count(opd, layanan, day, *["".join(rng.choices("1234", k=9))] * rng.randint(1, 7))
        if rng.random() < 0.1:
            town.caches[0].clear()
        closing = town.closing()
        if town.refresh(rng.randrange(3)):
            town.follow(closing)
            assert town.bins() == {opd: stored for opd, stored in town.model.items() if stored}
            town.check()


def test_two_refreshers_at_once_release_every_response_in_one_step(town: Town) -> None:
    stop = threading.Event()
    town.caches = [Cache(), Cache()]

    def keep_refreshing(worker: int) -> None:
        while not stop.is_set():
            town.refresh(worker)
        town.refresh(worker)

    def keep_counting(number: int) -> None:
        rng = random.Random(number)
        for _ in range(25):
            opd = rng.choice(list(OPDS))
            layanan, day = rng.choice(list(OPDS[opd])), TODAY - rng.choice([0, 0, 0, 1, 40]) * DAY
            town.count(opd, layanan, day, *["".join(rng.choices("1234", k=9))] * rng.randint(1, 4))

    with ThreadPoolExecutor(5) as pool:
        refreshing = [pool.submit(keep_refreshing, worker) for worker in range(2)]
        for counting in [pool.submit(keep_counting, number) for number in range(3)]:
            counting.result(50)
        stop.set()
        for future in refreshing:
            future.result(30)
    town.check()
    assert sum(stored.steps for of_opd in town.bins().values() for stored in of_opd.values()) > 10

"""Public breakdowns on a real PostgreSQL: of what is released, and of nobody else."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from services.aggregate.rolling.breakdowns.publication import publish
from shared.domain.questionnaire import SKM_2017
from shared.domain.release import BinKey, release
from shared.storage.engine import opened, transaction
from shared.storage.released import bins, breakdowns
from shared.storage.released.breakdowns import ReleasedBreakdown
from shared.storage.rolling import INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, as_tally
from tests.integration.aggregate import tally_seed as seed

PERIOD, FIRST, LAST = "2026-Q1", date(2026, 1, 1), date(2026, 3, 31)
NOW = datetime(2026, 4, 8, 1, tzinfo=UTC)
JANUARY, MARCH = date(2026, 1, 20), date(2026, 3, 5)
OPDS: dict[str, dict[str, int | None]] = {
    "dinkes": {"farmasi": 1000, "imunisasi": 500},
    "dukcapil": {"ktp-el": 12000},
}
ANSWER = "443444433"


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with opened(database_url) as engine:
        with transaction(engine) as connection:
            seed.registry(connection, OPDS)
        yield engine


def count(engine: sa.Engine, opd: str, layanan: str, day: date, sexes: str) -> None:
    """A response for each letter: L, P, or - for who did not tell; all through channel loket."""
    with transaction(engine) as connection:
        for value, n in Counter(sexes).items():
            cells = [("all", ""), ("channel", "loket"), *([("sex", value)] if value != "-" else [])]
            for cell in cells:
                seed.count(connection, opd, layanan, day, [ANSWER] * n, today=LAST, cell=cell)


def published(engine: sa.Engine, closed_to: date = LAST) -> dict[str, ReleasedBreakdown]:
    """Release all that may be, and publish; the breakdowns by sex, by OPD."""
    with transaction(engine) as connection:
        for opd in OPDS:
            live = {
                BinKey(row.month, row.layanan, row.questionnaire): as_tally(
                    row.vector, SKM_2017.size
                )
                for row in tally_sums.by_month(connection, opd, SKM_2017.size, Scope(FIRST, LAST))
                if row.facet == "all"
            }
            stored = bins.read(connection, [opd]).get(opd, {})
            moved = release(stored, live, closed_to, NOW, is_new_close=True)
            bins.write(connection, ((opd, key, stored.get(key), moved[key]) for key in moved))
        publish(connection, list(OPDS), SKM_2017.size, closed_to, NOW)
        return {
            breakdown.opd: breakdown
            for breakdown in breakdowns.read_breakdowns(connection, [PERIOD], facets=["sex"])
        }


def cells(breakdown: ReleasedBreakdown) -> Mapping[str, int]:
    """The respondents of each value, the withheld ones too."""
    return {cell.value: cell.vector[0] for cell in breakdown.cells}


def test_a_breakdown_has_a_cell_for_each_value_and_one_for_those_who_did_not_tell(
    engine: sa.Engine,
) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP------")
    count(engine, "dukcapil", "ktp-el", MARCH, "LLLLLPPPPP")
    breakdown = published(engine)["dukcapil"]
    assert cells(breakdown) == {"": 6, "L": 11, "P": 12}
    assert (breakdown.withheld, breakdown.released_at) == ([], NOW)
    assert {cell.vector[0]: cell.vector[1] for cell in breakdown.cells} == {6: 6, 11: 11, 12: 12}


def test_nothing_is_published_before_the_triwulan_is_closed(engine: sa.Engine) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP------")
    assert not published(engine, date(2026, 2, 28))


def test_small_cells_are_withheld_with_the_next_smallest(engine: sa.Engine) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP--")
    assert published(engine)["dukcapil"].withheld == ["", "L"]


def test_a_layanan_month_of_which_nothing_is_released_is_left_out(engine: sa.Engine) -> None:
    count(engine, "dinkes", "farmasi", JANUARY, "LLLLLLLPPPPPPPP")
    count(engine, "dinkes", "imunisasi", JANUARY, "LL-")
    assert cells(published(engine)["dinkes"]) == {"L": 7, "P": 8}


def test_what_a_pool_of_the_triwulan_took_is_in_the_breakdown(engine: sa.Engine) -> None:
    count(engine, "dinkes", "farmasi", JANUARY, "LLLLLLLPPPPPPPP")
    count(engine, "dinkes", "imunisasi", JANUARY, "LLL")
    count(engine, "dinkes", "imunisasi", MARCH, "LLP")
    assert cells(published(engine)["dinkes"]) == {"L": 12, "P": 9}


def test_late_ones_that_are_not_released_leave_the_old_breakdown(engine: sa.Engine) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP")
    before = published(engine)["dukcapil"]
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLL")
    assert published(engine)["dukcapil"] == before


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ("LLLLL", {"L": 11, "P": 7}),
        ("LLLLPP", {"L": 6, "P": 7}),
        ("LLLLL-----", {"L": 11, "P": 7, "": 5}),
    ],
)
def test_a_breakdown_is_replaced_when_every_cell_changes_by_nobody_or_five(
    engine: sa.Engine, late: str, expected: Mapping[str, int]
) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP")
    published(engine)
    count(engine, "dukcapil", "ktp-el", JANUARY, late)
    assert cells(published(engine)["dukcapil"]) == expected


def test_the_instansi_is_the_sum_of_its_opds(engine: sa.Engine) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP---")
    count(engine, "dinkes", "farmasi", MARCH, "LLLLLLLPPPPPPPP----")
    breakdowns_of = published(engine)
    assert [breakdowns_of[opd].withheld for opd in OPDS] == [["", "L"], ["", "L"]]
    whole = breakdowns_of[INSTANSI]
    assert cells(whole) == {"L": 13, "P": 15, "": 7}
    assert whole.withheld == []


def test_an_opd_that_comes_later_joins_only_with_cells_of_five(engine: sa.Engine) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP")
    assert cells(published(engine)[INSTANSI]) == {"L": 6, "P": 7}
    count(engine, "dinkes", "farmasi", MARCH, "LLLLPPPPPPPP")
    assert cells(published(engine)[INSTANSI]) == {"L": 6, "P": 7}
    count(engine, "dinkes", "imunisasi", MARCH, "LLLLLLPPPPP")
    breakdowns_of = published(engine)
    assert cells(breakdowns_of["dinkes"]) == {"L": 10, "P": 13}
    assert cells(breakdowns_of[INSTANSI]) == {"L": 16, "P": 20}


def test_nothing_new_writes_nothing(engine: sa.Engine) -> None:
    count(engine, "dukcapil", "ktp-el", JANUARY, "LLLLLLPPPPPPP")
    first = published(engine)
    assert published(engine) == first

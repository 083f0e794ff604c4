"""What was released, as it is stored: parts of bins, sums of them over a window, public rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from shared.domain.release import Bin, BinKey
from shared.domain.tally import Tally
from shared.domain.window import ALL, named_window
from shared.storage.engine import opened, transaction
from shared.storage.released import bins, parts, rows, sums
from shared.storage.released.parts import PartKey, StoredPart
from shared.storage.released.rows import ReleasedRow
from shared.storage.released.sums import ReleasedSum

TODAY = date(2026, 7, 20)
THEN = datetime(2026, 7, 20, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    with opened(database_url) as engine, transaction(engine) as connection:
        yield connection


def part(period: str, layanan: str, n: int, part: str = "released", **changes: Any) -> StoredPart:
    """A part of a bin of `dinkes` with two scores of one unsur."""
    key = PartKey(
        changes.pop("opd", "dinkes"),
        period,
        layanan,
        changes.pop("questionnaire", "skm"),
        part,
        changes.pop("pool", ""),
    )
    days = named_window(period, TODAY)
    assert days.first
    assert days.last
    whole = StoredPart(key, days.first, days.last, n, [0, 0, 0, n], n, 4 * n, 16 * n, 1, THEN)
    return whole._replace(**changes)


def vector(n: int) -> tuple[int, ...]:
    return (n, n, 4 * n, 16 * n, 0, 0, 0, n)


def test_a_part_is_read_as_it_was_written_and_replaced_by_its_key(
    connection: sa.Connection,
) -> None:
    stored = [
        part("2026-05", "lab", 7, "candidate", steps=0, released_at=None),
        part("2026-05", "lab", 3, "pooled", pool="2026-Q2", steps=0, released_at=None),
        part("2026-05", "lab", 6),
    ]
    parts.replace_parts(connection, stored)
    assert parts.read_parts(connection) == stored
    parts.replace_parts(connection, [part("2026-05", "lab", 2**40, steps=2)])
    parts.delete_parts(connection, [stored[0].key])
    assert parts.read_parts(connection, ["dinkes"]) == [
        stored[1],
        part("2026-05", "lab", 2**40, steps=2),
    ]
    assert parts.read_parts(connection, ["dukcapil"]) == []


def test_a_sum_holds_the_released_bins_that_lie_wholly_in_its_window(
    connection: sa.Connection,
) -> None:
    parts.replace_parts(
        connection,
        [
            part("2026-04", "lab", 5),
            part("2026-05", "lab", 6, released_at=THEN + HOUR),
            part("2026-06", "lab", 7),
            part("2026-06", "lab", 9, "candidate"),
            part("2026-06", "lab", 8, questionnaire="lain"),
            part("2026-Q2", "", 10, released_at=THEN - HOUR),
            part("2026", "", 20),
            part("2026-06", "ktp-el", 50, opd="dukcapil"),
        ],
    )

    def of(name: str) -> list[ReleasedSum]:
        return sums.sums(connection, ["dinkes"], 1, named_window(name, TODAY))

    assert of("2026-05") == [ReleasedSum("dinkes", "lab", "skm", vector(6), THEN + HOUR)]
    assert of("2026-Q2") == [
        ReleasedSum("dinkes", "", "skm", vector(10), THEN - HOUR),
        ReleasedSum("dinkes", "lab", "lain", vector(8), THEN),
        ReleasedSum("dinkes", "lab", "skm", vector(18), THEN + HOUR),
    ]
    assert of("3m")[-1].vector == vector(13)
    assert [of(name)[0].vector for name in ("2026-S1", "2026", "all")] == [
        vector(n) for n in (10, 30, 30)
    ]


def test_a_longer_vector_ends_with_zeros(connection: sa.Connection) -> None:
    parts.replace_parts(connection, [part("2026-05", "lab", 6)])
    (only,) = sums.sums(connection, ["dinkes"], 2, ALL)
    assert only.vector == (*vector(6), 0, 0, 0, 0)


def test_what_is_left_out_is_lacking_until_a_pool_of_the_window_took_it(
    connection: sa.Connection,
) -> None:
    parts.replace_parts(
        connection,
        [
            part("2026-03", "lab", 2, "pooled", pool="2026-03"),
            part("2026-05", "lab", 3, "pooled", pool="2026-Q2"),
            part("2026-08", "farmasi", 4, "left"),
        ],
    )

    def lacking(name: str) -> set[str]:
        left_out = sums.left_out(connection, ["dinkes"], named_window(name, TODAY))
        return {layanan for _, layanan in left_out}

    assert lacking("2026-03") == {"lab"}
    assert lacking("2026-05") == {"lab", ""}
    assert lacking("2026-Q2") == {"lab"}
    assert lacking("2026-06") == set()
    assert lacking("2026") == {"lab", "farmasi", ""}


def test_a_bin_is_read_as_it_was_written_and_only_what_changed_of_it_is_written(
    connection: sa.Connection,
) -> None:
    lab, pool = BinKey("2026-05", "lab", "skm"), BinKey("2026-Q2", "", "skm")
    waiting = Bin(
        released=tally(5),
        candidate=tally(11),
        pooled={"2026-Q2": tally(2), "2026": tally(1)},
        steps=1,
        released_at=THEN,
    )
    pooled = Bin(tally(7), steps=1, released_at=THEN)
    bins.write(connection, [("dinkes", lab, None, waiting), ("dinkes", pool, None, pooled)])
    assert bins.read(connection) == {"dinkes": {lab: waiting, pool: pooled}}
    closed = replace(waiting, released=tally(12), candidate=None, left=tally(3), steps=2)
    written: list[str] = []
    sa.event.listen(
        connection, "before_cursor_execute", lambda *event: written.append(str(event[3]))
    )
    bins.write(connection, [("dinkes", lab, waiting, closed)])
    assert bins.read(connection, ["dinkes"])["dinkes"][lab] == closed
    assert [text.count('"pool"') for text in written[:2]] == [2, 1]
    assert bins.read(connection, ["dinkes"], since=date(2026, 6, 1)) == {"dinkes": {pool: pooled}}
    nothing = Bin(tally(0))
    bins.write(connection, [("dinkes", lab, closed, nothing)])
    assert bins.read(connection) == {"dinkes": {pool: pooled}}


def tally(n: int) -> Tally:
    return Tally(n, (0, 0, 0, n), n, 4 * n, 16 * n)


def row(window: str, **changes: Any) -> ReleasedRow:
    whole = ReleasedRow(
        opd="dinkes",
        layanan="",
        window=window,
        first=date(2026, 7, 1),
        last=date(2026, 7, 31),
        respondents=5,
        ikm=Decimal("81.25"),
        mutu="B",
        ci_low=Decimal("70.00"),
        ci_high=Decimal("90.00"),
        scheme="exact",
        detail=msgspec.Raw(b'{"unsur": []}'),
        version=1,
        released_at=THEN,
        withheld=False,
    )
    return msgspec.structs.replace(whole, **changes)


def test_a_public_row_is_read_as_it_was_written_and_goes_with_its_window(
    connection: sa.Connection,
) -> None:
    nothing = row("all", ikm=None, mutu=None, ci_low=None, released_at=None, withheld=True)
    rows.replace_rows(connection, [row("2026-07"), nothing])
    rows.replace_rows(connection, [row("2026-07", respondents=11, version=2)])
    stored = rows.read_rows(connection, ["dinkes"])
    assert sorted(stored, key=lambda stored_row: stored_row.window) == [
        row("2026-07", respondents=11, version=2),
        nothing,
    ]
    rows.delete_other_windows(connection, ["dinkes"], ["2026-08", "all"])
    assert rows.read_rows(connection) == [nothing]

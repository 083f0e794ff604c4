"""The bins of the release rule, read from their parts and written as what changed in them."""

from collections.abc import Iterable, Sequence
from datetime import date

import sqlalchemy as sa

from shared.domain.release import Bin, BinKey
from shared.domain.tally import Tally
from shared.domain.window import period
from shared.storage.released import parts
from shared.storage.released.parts import PartKey, StoredPart

RELEASED, CANDIDATE, POOLED, LEFT = "released", "candidate", "pooled", "left"


def read(
    connection: sa.Connection, opds: Sequence[str] | None = None, since: date | None = None
) -> dict[str, dict[BinKey, Bin]]:
    """Return the bins of these OPDs, or of all; of periods that last until a day or longer."""
    rows_by_bin: dict[tuple[str, BinKey], list[StoredPart]] = {}
    for row in parts.read_parts(connection, opds, since):
        opd, name, layanan, questionnaire, _, _ = row.key
        rows_by_bin.setdefault((opd, BinKey(name, layanan, questionnaire)), []).append(row)
    bins: dict[str, dict[BinKey, Bin]] = {}
    for (opd, key), rows in rows_by_bin.items():
        bins.setdefault(opd, {})[key] = _bin_of(rows)
    return bins


def write(connection: sa.Connection, moves: Iterable[tuple[str, BinKey, Bin | None, Bin]]) -> None:
    """Write bins as they are now: the OPD, the key, the bin as it is stored, the bin now."""
    changed: list[StoredPart] = []
    gone: list[PartKey] = []
    for opd, key, before, after in moves:
        stored = _parts_of(opd, key, before) if before is not None else {}
        current = _parts_of(opd, key, after)
        changed += [part for part in current.values() if stored.get(part.key) != part]
        gone += stored.keys() - current.keys()
    parts.replace_parts(connection, changed)
    parts.delete_parts(connection, gone)


def _bin_of(rows: Sequence[StoredPart]) -> Bin:
    tallies = {row.key.part: _tally(row) for row in rows}
    released = next((row for row in rows if row.key.part == RELEASED), None)
    return Bin(
        released=tallies.get(RELEASED) or Tally.zero(_tally(rows[0]).size),
        candidate=tallies.get(CANDIDATE),
        pooled={row.key.pool: _tally(row) for row in rows if row.key.part == POOLED},
        left=tallies.get(LEFT),
        steps=released.steps if released is not None else 0,
        released_at=released.released_at if released is not None else None,
    )


def _parts_of(opd: str, key: BinKey, stored: Bin) -> dict[PartKey, StoredPart]:
    tallies = [(POOLED, pool, tally) for pool, tally in stored.pooled.items()]
    if stored.candidate is not None:
        tallies.append((CANDIDATE, "", stored.candidate))
    if stored.left is not None:
        tallies.append((LEFT, "", stored.left))
    parts_of_bin = {}
    for part, pool, tally in tallies:
        part_key = PartKey(opd, *key, part, pool)
        parts_of_bin[part_key] = _part(part_key, tally)
    if stored.steps:
        released = PartKey(opd, *key, RELEASED, "")
        parts_of_bin[released] = _part(released, stored.released)._replace(
            steps=stored.steps, released_at=stored.released_at
        )
    return parts_of_bin


def _part(key: PartKey, tally: Tally) -> StoredPart:
    days = period(key.period)
    return StoredPart(
        key,
        days.first or date.min,
        days.last or date.max,
        tally.n,
        tally.counts,
        tally.complete,
        tally.total,
        tally.total_sq,
        steps=0,
        released_at=None,
    )


def _tally(row: StoredPart) -> Tally:
    return Tally(row.n, tuple(row.counts), row.complete, row.total, row.total_sq)

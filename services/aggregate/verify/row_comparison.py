"""Rows of figures as they are stored, and as they are computed anew: which differ, and in what."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shared.storage.released.rows import ReleasedRow
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, RollingRow

EXAMPLES = 5
# When they were written says nothing of what they are made of.
_NOT_COMPARED = {"version", "computed_at"}
_decode_detail = msgspec.json.Decoder(float_hook=Decimal).decode
_Columns = Mapping[str, Any]


def differences(
    table: str,
    opd: str,
    stored_rows: Iterable[RollingRow | ReleasedRow],
    computed_rows: Iterable[RollingRow | ReleasedRow],
) -> Iterator[str]:
    """Yield which rows of an OPD (or INSTANSI) differ: the first few, and how many more."""
    stored, computed = _by_key(stored_rows), _by_key(computed_rows)
    wrong = sorted(
        key for key in stored.keys() | computed.keys() if stored.get(key) != computed.get(key)
    )
    name_of_opd = "instansi" if opd == INSTANSI else opd
    for layanan, window in wrong[:EXAMPLES]:
        name = name_of_opd if layanan == ALL_LAYANAN else f"{name_of_opd}/{layanan}"
        difference = _in_words(stored.get((layanan, window)), computed.get((layanan, window)))
        yield f"{table} {name} {window}: {difference}"
    if len(wrong) > EXAMPLES:
        yield f"{table} {name_of_opd}: {len(wrong) - EXAMPLES} more rows differ"


def _by_key(rows: Iterable[RollingRow | ReleasedRow]) -> dict[tuple[str, str], _Columns]:
    """Return what each row says, by layanan and window; details as values, not as they look."""
    said: dict[tuple[str, str], _Columns] = {}
    for row in rows:
        names = [name for name in row.__struct_fields__ if name not in _NOT_COMPARED]
        columns = {name: getattr(row, name) for name in names}
        said[row.layanan, row.window] = {**columns, "detail": _decode_detail(row.detail)}
    return said


def _in_words(stored: _Columns | None, computed: _Columns | None) -> str:
    if stored is None or computed is None:
        row = stored or computed or {}
        numbers = f"n={row['respondents']} ikm={row['ikm']}"
        if stored is None:
            return f"no row, the tallies give {numbers}"
        return f"a row too many: {numbers}"
    return "; ".join(
        f"{name} differs"
        if name == "detail"
        else f"{name} {has}, the tallies give {computed[name]}"
        for name, has in stored.items()
        if has != computed[name]
    )

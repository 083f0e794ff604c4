"""What a row is known by: its content, and the how-manieth of its kind it is in its file.

So the same file, sent again, adds nothing, and two equal rows of one file are two answers.
"""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from services.aggregate.imports.reading.table import Cells

DIGEST_BYTES: Final = 16
_SEPARATOR: Final = "\x1f"


def digest_of(cells: Cells) -> bytes:
    """Return the digest of a row; never change it: what was imported before is known by it."""
    return blake2b(_content(cells).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _content(cells: Cells) -> str:
    try:
        return _SEPARATOR.join(cast("Sequence[str]", cells)).rstrip(_SEPARATOR)
    except TypeError:
        return _SEPARATOR.join(map(_text, cells)).rstrip(_SEPARATOR)


def _text(cell: object) -> str:
    return cell.isoformat() if isinstance(cell, datetime | date) else str(cell)


class Occurrences:
    """Counts how often each digest came before, in eight bytes a row.

    They are sorted runs, each at least twice as long as the one after it. Two digests that begin
    alike are counted as one: their numbers still differ, and are the same every time.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def number(self, digests: Sequence[bytes]) -> list[int]:
        """Return for each digest how many equal ones came before, here or earlier."""
        keys = np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, DIGEST_BYTES // 8)[:, 0]
        order = np.argsort(keys, kind="stable")
        run = keys[order]
        positions = np.arange(len(run))
        is_first = np.ones(len(run), dtype=bool)
        is_first[1:] = run[1:] != run[:-1]
        numbers = positions - np.maximum.accumulate(np.where(is_first, positions, 0))
        for earlier in self._runs:
            numbers += np.searchsorted(earlier, run, "right") - np.searchsorted(earlier, run)
        in_order = np.empty(len(run), dtype=np.int64)
        in_order[order] = numbers
        self._keep(run)
        return [int(number) for number in in_order.tolist()]

    def _keep(self, run: NDArray[np.uint64]) -> None:
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)


def source_ids(digests: Sequence[bytes], numbers: Sequence[int]) -> list[str]:
    """Return the ids of rows."""
    return [f"{digest.hex()}-{n}" for digest, n in zip(digests, numbers, strict=True)]

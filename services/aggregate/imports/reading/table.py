"""What every kind of file is read as: rows of cells with their lines, and what was assumed.

FileFault        the file as a whole cannot be read: the import fails, and says at which line
BadRow           a row cannot be read: it is refused, the next one is read
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.domain.errors import IkmError

CELLS_MAX: Final = 1_000
CELL_MAX: Final = 100_000  # characters
ROW_MAX_BYTES: Final = 1024 * 1024
Cells = Sequence[object]  # text; of a spreadsheet also numbers, times and truth values


class FileFault(IkmError):
    """The file cannot be imported."""

    def __init__(self, code: str, detail: str, missing: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.missing = missing  # columns, where that is what is wrong


class BadRow(NamedTuple):
    """A row that cannot be read, and why."""

    code: str
    detail: str


class Row(NamedTuple):
    """A row: the line on which it begins, the first is 1."""

    line: int
    cells: Cells | BadRow


@dataclass(slots=True)
class Table:
    """The rows of a file, to be read once, and what was assumed to read them.

    `read_bytes` tells how much of the file is read so far.
    """

    rows: Iterator[Row]
    assumed: dict[str, object]
    read_bytes: Callable[[], int]


def is_empty(cells: Cells) -> bool:
    """Whether nothing is in these cells."""
    return not any(cell not in {"", None} and str(cell).strip() for cell in cells)

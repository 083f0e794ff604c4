"""CSV of any delimiter: which one it is, and its rows."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from services.aggregate.imports.reading.encodings import UTF_8, Lines, encoding_of
from services.aggregate.imports.reading.table import (
    CELL_MAX,
    CELLS_MAX,
    BadRow,
    Row,
    Table,
)

_DELIMITERS: Final = (";", ",", "\t", "|")
_SAMPLE_ROWS: Final = 50
_SAMPLE_LINES: Final = 200
_HEAD_BYTES: Final = 64 * 1024
# Excel writes the delimiter into the first line, and shows no such line.
_NAMED: Final = "sep="

csv.field_size_limit(CELL_MAX)


def open_delimited(head: bytes, chunks: Iterable[bytes]) -> Table:
    """Return the rows of a CSV file; `head` is its beginning, which `chunks` do not repeat."""
    encoding, mark_bytes = encoding_of(head)
    text = head[mark_bytes:]
    sample = Lines(text[:_HEAD_BYTES], (), encoding)
    delimiter, names_it = delimiter_of(list(islice(sample, _SAMPLE_LINES)))
    lines = Lines(text, chunks, encoding)
    if names_it:
        next(lines)
    assumed: dict[str, object] = {"format": "csv", "encoding": encoding, "delimiter": delimiter}
    return Table(_rows(lines, delimiter, assumed), assumed, lambda: lines.read_bytes)


def delimiter_of(lines: list[str]) -> tuple[str, bool]:
    """Return the delimiter of a sample, and whether its first line does nothing but name it.

    It is the one by which most rows have equally many columns, and most of them.
    """
    first = lines[0].strip().strip('"') if lines else ""
    if first.lower().startswith(_NAMED) and len(first) == len(_NAMED) + 1:
        return first[-1], True
    return max(_DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter)), False


def _regularity(lines: list[str], delimiter: str) -> tuple[int, int]:
    columns = Counter[int]()
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            columns[len(cells)] += len(cells) > 1
            if columns.total() >= _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # what was read until there is a sample, too
    ((width, rows),) = columns.most_common(1) or [(0, 0)]
    return (rows * (width - 1), width) if rows else (0, 0)


def _rows(lines: Lines, delimiter: str, assumed: dict[str, object]) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    begins = lines.number + 1
    while True:
        try:
            for cells in reader:
                lines.taken = 0
                if len(cells) > CELLS_MAX:
                    yield Row(begins, BadRow("columns", f"more than {CELLS_MAX:,} cells"))
                elif cells:
                    yield Row(begins, cells)
                begins = lines.number + 1
            break
        except csv.Error:  # the reader goes on with a new row
            lines.taken = 0
            detail = (
                f"cannot be read: lines {begins} to {lines.number} are one row of too much text; "
                "is a quote not closed?"
            )
            yield Row(begins, BadRow("row-too-large", detail))
            begins = lines.number + 1
    if lines.otherwise_read:
        assumed["encoding"] = f"{UTF_8}, {lines.otherwise_read:,} lines cp1252"

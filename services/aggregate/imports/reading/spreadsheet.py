"""XLSX: the rows of one sheet. Formulas are never worked out: what was shown last is read."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import IO, Final

import python_calamine

from services.aggregate.imports.reading import archive
from services.aggregate.imports.reading.table import (
    CELL_MAX,
    CELLS_MAX,
    BadRow,
    FileFault,
    Row,
    Table,
)

INTEGER_MAX: Final = 1e15
MAX_BYTES: Final = 64 * 1024 * 1024
MAGIC: Final = b"PK\x03\x04"
TEMPLATE_SHEET: Final = "Data_Survei_Mentah"


def open_spreadsheet(head: bytes, chunks: Iterable[bytes], sheet: str | None) -> Table:
    """Return the rows of a sheet: the named one, that of the template, else the first."""
    with tempfile.TemporaryFile() as file:
        size_bytes = _written(file, head, chunks)
        archive.check(file)
        file.seek(0)
        try:
            book = python_calamine.CalamineWorkbook.from_filelike(file)
            name = _chosen(book.sheet_names, sheet)
            cells = book.get_sheet_by_name(name)
        except (python_calamine.CalamineError, OSError, ValueError):
            raise FileFault("unreadable", "the file is no sound XLSX file") from None
    return Table(_rows(cells), {"format": "xlsx", "sheet": name}, lambda: size_bytes)


def _written(file: IO[bytes], head: bytes, chunks: Iterable[bytes]) -> int:
    size_bytes = file.write(head)
    for chunk in chunks:
        size_bytes += file.write(chunk)
        if size_bytes > MAX_BYTES:
            limit_mib = MAX_BYTES // 1024 // 1024
            raise FileFault("too-large", f"an XLSX file may have {limit_mib} MiB: use CSV")
    return size_bytes


def _chosen(names: list[str], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in names:
            raise FileFault("sheet", f"there is no sheet {sheet!r}; there are: {', '.join(names)}")
        return sheet
    if not names:
        raise FileFault("sheet", "the file has no sheet")
    return TEMPLATE_SHEET if TEMPLATE_SHEET in names else names[0]


def _rows(sheet: python_calamine.CalamineSheet) -> Iterator[Row]:
    for line, cells in enumerate(sheet.iter_rows(), 1):
        if len(cells) > CELLS_MAX:
            yield Row(line, BadRow("columns", f"more than {CELLS_MAX:,} cells"))
        elif any(isinstance(cell, str) and len(cell) > CELL_MAX for cell in cells):
            yield Row(line, BadRow("row-too-large", f"a cell has over {CELL_MAX:,} characters"))
        else:
            yield Row(line, [_plain(cell) for cell in cells])


def _plain(cell: object) -> object:
    """Return a cell so that equal cells mean the same: 4.0 and 4 do, 1 and "yes" do not."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < INTEGER_MAX else cell
    return str(cell) if isinstance(cell, timedelta) else cell

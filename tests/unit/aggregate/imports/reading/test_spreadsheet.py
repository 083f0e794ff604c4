"""XLSX: rows with their lines, cells as they mean, and bombs that nobody opens."""

import importlib
import io
import zipfile
from datetime import datetime
from typing import Any

import pytest

from services.aggregate.imports.reading import archive
from services.aggregate.imports.reading.spreadsheet import open_spreadsheet
from services.aggregate.imports.reading.table import FileFault

MOMENT = datetime(2026, 5, 4, 9, 12)  # noqa: DTZ001 (as a spreadsheet holds it)


def workbook(*names: str) -> bytes:
    file = io.BytesIO()
    xlsxwriter: Any = importlib.import_module("xlsxwriter")  # has no types
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    for name in names or ("Lembar",):
        sheet = book.add_worksheet(name)
        sheet.write_row(1, 0, ["No", "U1", "ya", "waktu", "rumus", name])
        sheet.write_row(2, 0, [1, 4.5, True])
        sheet.write_datetime(2, 3, MOMENT, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_formula(2, 4, '=HYPERLINK("http://x")', "", "4")
    book.close()
    return file.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The workbook with a part replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, part if entry == name else old.read(entry), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def test_rows_have_their_lines_and_cells_their_meaning() -> None:
    table = open_spreadsheet(workbook(), [], None)
    title, head, row = table.rows
    assert (title.line, head.line, row.line) == (1, 2, 3)
    assert list(row.cells) == [1, 4.5, "TRUE", MOMENT, "4", ""]
    assert [type(cell) for cell in row.cells][:2] == [int, float]
    assert table.assumed == {"format": "xlsx", "sheet": "Lembar"}


def test_the_sheet_of_the_template_is_read_unless_another_is_named() -> None:
    content = workbook("Kata pengantar", "Data_Survei_Mentah")
    assert open_spreadsheet(content, [], None).assumed["sheet"] == "Data_Survei_Mentah"
    assert open_spreadsheet(content, [], "Kata pengantar").assumed["sheet"] == "Kata pengantar"
    with pytest.raises(FileFault, match="there are: Kata pengantar, Data_Survei_Mentah"):
        open_spreadsheet(content, [], "Lain")


def test_a_file_in_pieces_is_the_same_file() -> None:
    content = workbook()
    pieces = [content[start : start + 100] for start in range(50, len(content), 100)]
    assert len(list(open_spreadsheet(content[:50], pieces, None).rows)) == 3


def test_a_bomb_is_noticed_whatever_it_says_about_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "INFLATED_MAX_BYTES", 1_000_000)
    bomb = bytearray(with_part(workbook(), "xl/styles.xml", b"0" * 3_000_000))
    with pytest.raises(FileFault, match="unpacked"):
        open_spreadsheet(bytes(bomb), [], None)
    # The same, but saying that it is small, in both of its headers.
    size = (3_000_000).to_bytes(4, "little")
    while size in bomb:
        bomb[bomb.index(size) : bomb.index(size) + 4] = (9).to_bytes(4, "little")
    with pytest.raises(FileFault, match="unpacked"):
        open_spreadsheet(bytes(bomb), [], None)


@pytest.mark.parametrize("place", ["XFD1048576", "ZZZZ1", "A99999999", "AAA900000"])
def test_a_cell_far_away_takes_no_memory_for_what_lies_between(place: str) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook())) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").replace(b'r="E3"', f"r = '{place}'".encode())
    with pytest.raises(FileFault, match="a sheet"):
        open_spreadsheet(with_part(workbook(), "xl/worksheets/sheet1.xml", sheet), [], None)


def test_a_damaged_file_is_refused_wherever_it_is_damaged() -> None:
    content = workbook()
    for position in range(0, len(content), 97):
        damaged = content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]
        for piece in (damaged, content[:position]):
            try:
                list(open_spreadsheet(piece, [], None).rows)
            except FileFault:
                continue

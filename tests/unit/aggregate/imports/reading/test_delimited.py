"""CSV of any delimiter and encoding, quoted line ends, and rows that cannot be read."""

import pytest

from services.aggregate.imports.reading.delimited import delimiter_of, open_delimited
from services.aggregate.imports.reading.table import BadRow, FileFault, Row

TEXT = 'nama;nilai\nSitti, é;"4"\n"dua\nbaris";3\n'
ROWS = [Row(1, ["nama", "nilai"]), Row(2, ["Sitti, é", "4"]), Row(3, ["dua\nbaris", "3"])]


def rows(content: bytes) -> list[Row]:
    return list(open_delimited(content, []).rows)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_every_encoding_gives_the_same_rows(encoding: str) -> None:
    assert rows(TEXT.encode(encoding)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_pieces_that_end_anywhere_give_the_same_rows(encoding: str) -> None:
    content = TEXT.encode(encoding)
    for head in range(2, len(content)):
        pieces = [content[start : start + 3] for start in range(head, len(content), 3)]
        # A short head may not show the delimiter: compare the text alone.
        table = open_delimited(content[:head], pieces)
        table_text = [";".join(map(str, row.cells)) for row in table.rows]
        assert "".join(table_text).count("Sitti") == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_a_table(delimiter: str) -> None:
    lines = [delimiter.join(["a", "b c", "d"]) + "\n"] * 3
    assert delimiter_of(lines) == (delimiter, False)


def test_excel_may_name_the_delimiter() -> None:
    assert rows(b"sep=|\na;b|c\n") == [Row(2, ["a;b", "c"])]


def test_line_ends_of_old_programs_are_line_ends() -> None:
    assert rows(b"a,b\r1,2\r") == [Row(1, ["a", "b"]), Row(2, ["1", "2"])]


def test_a_line_in_another_encoding_is_read_by_itself_and_said() -> None:
    table = open_delimited("a;b\né;1\n".encode() + b"caf\xe9;2\n", [])
    assert [row.cells for row in table.rows] == [["a", "b"], ["é", "1"], ["café", "2"]]
    assert table.assumed["encoding"] == "utf-8, 1 lines cp1252"


def test_a_quote_that_is_not_closed_costs_one_row_and_says_which_lines() -> None:
    content = b"a,b\n1,2\n3," + b'"' + b"x\n" * 60_000 + b"5,6\n"
    read = list(open_delimited(content[:100], [content[100:]]).rows)
    assert read[:2] == [Row(1, ["a", "b"]), Row(2, ["1", "2"])]
    bad = read[2]
    assert bad.line == 3
    assert isinstance(bad.cells, BadRow)
    assert "lines 3 to" in bad.cells.detail
    assert read[-1].cells == ["5", "6"]


def test_a_row_of_too_many_cells_or_too_much_text_is_a_bad_row() -> None:
    wide, heavy = b",".join([b"1"] * 1001), b",".join([b"x" * 90_000] * 3)
    heavier = b",".join([b'"' + b"x\n" * 40_000 + b'"'] * 20)
    read = rows(b"a,b\n" + wide + b"\n" + heavy + b"\n")
    assert [isinstance(row.cells, BadRow) for row in read] == [False, True, False]
    read = list(open_delimited(b"a,b\n", [heavier, b"\n1,2\n"]).rows)
    assert any(isinstance(row.cells, BadRow) for row in read)


def test_a_line_without_end_is_no_table() -> None:
    with pytest.raises(FileFault, match="longer than 1 MiB"):
        list(open_delimited(b"a,b\n", [b"x" * 700_000] * 2).rows)


def test_utf_32_is_refused_by_name() -> None:
    with pytest.raises(FileFault, match="UTF-32"):
        open_delimited("a;b\n".encode("utf-32"), [])


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b"\0" * 50, b'"'])
def test_what_is_hardly_a_file_has_no_rows_or_strange_ones(content: bytes) -> None:
    rows(content)

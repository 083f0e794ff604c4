"""The report of an import as JSON and CSV, written page by page while it is read."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.aggregate.read.service import ReadService
from shared.storage.imports import files

_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


class ReportWriter(NamedTuple):
    """How a report is written: what stands before, between and after the pages of its rows."""

    media_type: str
    before: bytes
    between: bytes
    after: bytes
    page: Callable[[Sequence[Mapping[str, Any]]], bytes]


async def written(
    service: ReadService, import_id: UUID, writer: ReportWriter
) -> AsyncIterator[bytes]:
    """Yield the report of an import in pieces."""
    line, separator = -1, b""
    yield writer.before

    def page() -> Sequence[Mapping[str, Any]]:
        with service.engine.connect() as connection:
            return files.report(connection, import_id, line)

    while rows := await service.queries.run(page):
        yield separator + writer.page(rows)
        line, separator = rows[-1]["line"], writer.between
    yield writer.after


def _json_page(rows: Sequence[Mapping[str, Any]]) -> bytes:
    refused = [{"line": row["line"], "violations": row["violations"]} for row in rows]
    return msgspec.json.encode(refused)[1:-1]


def _csv_page(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        for fault in row["violations"]:
            cells = (fault["pointer"], fault["code"], fault["detail"])
            writer.writerow([row["line"], *map(_harmless, cells)])
    return text.getvalue().encode("utf-8", "replace")


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell


WRITERS: Final[Mapping[str, ReportWriter]] = {
    "json": ReportWriter("application/json", b'{"refused":[', b",", b"]}", _json_page),
    "csv": ReportWriter(
        "text/csv; charset=utf-8",
        "\ufeffline,pointer,code,detail\r\n".encode(),
        b"",
        b"",
        _csv_page,
    ),
}

"""Opens a file that is imported: its kind, its headings, its mapping, what was assumed."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from services.aggregate.imports import headings
from services.aggregate.imports.conversion import Converter
from services.aggregate.imports.options import ImportOptions
from services.aggregate.imports.presets import KINDS, Recogniser
from services.aggregate.imports.reading.delimited import open_delimited
from services.aggregate.imports.reading.spreadsheet import MAGIC, open_spreadsheet
from services.aggregate.imports.reading.table import FileFault, Row, Table
from shared.mapping.field_mapping import FieldMapping, InvalidMapping
from shared.registry.snapshot import Channel, Registry

_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


@dataclass(slots=True)
class OpenedFile:
    """A file below its headings, and what turns its rows into submissions."""

    table: Table
    converter: Converter

    def rows(self, count: int) -> list[Row]:
        """Return the next rows, none at the end."""
        return list(islice(self.table.rows, count))


def open_file(
    chunks: Iterable[bytes], options: ImportOptions, registry: Registry, channel: Channel
) -> OpenedFile:
    """Open a file. Raises FileFault when nothing of it can be imported."""
    table = read_table(chunks, options)
    is_given = options.mapping is not None
    mapping_of = (
        Recogniser(registry, channel, options).mapping
        if options.mapping is None
        else headings.given(options.mapping)
    )
    completed = None if is_given else KINDS[options.preset].completed
    names, settings = headings.find(table.rows, mapping_of)
    try:
        mapping = FieldMapping.of(settings)
    except InvalidMapping as invalid:
        raise FileFault("mapping", str(invalid)) from None
    kind = "mapping" if is_given else options.preset
    table.assumed |= {"read_as": kind, "columns": settings_shown(settings)}
    return OpenedFile(table, Converter(names, mapping, completed, registry, channel))


def settings_shown(settings: headings.Settings) -> list[str]:
    """Return the columns that are read; what is in all others goes nowhere."""
    return sorted(set(headings.fields_of(settings)))


def read_table(chunks: Iterable[bytes], options: ImportOptions) -> Table:
    """Return the rows of a file of any kind. Raises FileFault."""
    stream = iter(chunks)
    head = next(stream, b"")
    if head.startswith(MAGIC):
        return open_spreadsheet(head, stream, options.sheet)
    if head.startswith(_OLD_EXCEL):
        raise FileFault("format", "old or protected Excel files are not read: save it as XLSX")
    if options.sheet is not None:
        raise FileFault("sheet", "a CSV file has no sheets")
    return open_delimited(head, stream)

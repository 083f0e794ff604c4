"""Which row of a table holds its headings: above it there may be titles."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from services.aggregate.imports.reading.table import BadRow, Cells, FileFault, Row, is_empty

_SEARCHED_ROWS: Final = 30
_NAMED_MAX: Final = 20  # headings that a refusal names

Settings = dict[str, Any]


def names_of(cells: Cells) -> list[str]:
    """Return the headings in a row of cells."""
    return [str(cell).strip().lstrip("\ufeff") for cell in cells]


def find(
    rows: Iterator[Row], mapping_of: Callable[[Sequence[str]], Settings]
) -> tuple[list[str], Settings]:
    """Take rows until one has headings; return these and the mapping that they give.

    Raises FileFault with what is missing in the row that comes nearest.
    """
    nearest = FileFault("columns", "the file has no row of headings")
    fewest: float = math.inf
    for row in islice(rows, _SEARCHED_ROWS):
        if isinstance(row.cells, BadRow) or is_empty(row.cells):
            continue
        names = names_of(row.cells)
        try:
            return names, mapping_of(names)
        except FileFault as fault:
            filled = [name for name in names if name]
            if len(filled) > 1 and fault.missing < fewest:
                fewest = fault.missing
                listed = ", ".join(name[:40] for name in filled[:_NAMED_MAX])
                nearest = FileFault(fault.code, f"{fault.detail} (line {row.line} has: {listed})")
    raise nearest


def fields_of(mapping: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that a mapping's settings name."""
    names = []
    for name, source in mapping.items():
        if name in {"answers", "respondent"}:
            names += fields_of(source)
        elif isinstance(source, str):
            names.append(source)
        elif "field" in source:
            names.append(source["field"])
    return names


def given(mapping: Settings) -> Callable[[Sequence[str]], Settings]:
    """Return what finds the headings of a mapping that the sender gave."""

    def mapping_of(names: Sequence[str]) -> Settings:
        if missing := sorted(set(fields_of(mapping)) - set(names)):
            detail = f"no column is called: {', '.join(missing)}"
            raise FileFault("columns", detail, len(missing))
        return mapping

    return mapping_of

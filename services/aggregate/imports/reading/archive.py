"""Whether an XLSX file may be opened: how large its parts really are, and its sheets' cells.

What the archive says about its own size is not believed: every part is inflated once, in small
pieces, before anything else reads it. A sheet that names a cell far away would take memory for
everything between.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from services.aggregate.imports.reading.table import FileFault

INFLATED_MAX_BYTES: Final = 400 * 1024 * 1024
PARTS_MAX: Final = 2_000
CELLS_MAX: Final = 20_000_000  # of a sheet's rectangle
_CHUNK_BYTES: Final = 256 * 1024
_LOCAL_HEADER_BYTES: Final = 30
_OVERLAP_BYTES: Final = 32
_PLACE: Final = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{0,9})([0-9]{0,12})\s*["']""")
_COLUMNS_MAX, _ROWS_MAX = 16_384, 1_048_576


def check(file: IO[bytes]) -> None:
    """Raise FileFault unless a spreadsheet's parts stay within the limits."""
    try:
        parts = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError):
        raise FileFault("unreadable", "the file is no sound XLSX file") from None
    if len(parts) > PARTS_MAX:
        raise FileFault("too-large", f"the file has more than {PARTS_MAX:,} parts")
    left = INFLATED_MAX_BYTES
    for part in parts:
        extent = _Extent() if "worksheets/" in part.filename.lower() else None
        for piece in _inflated(file, part, left):
            left -= len(piece)
            if left < 0:
                limit_mib = INFLATED_MAX_BYTES // 1024 // 1024
                raise FileFault("too-large", f"the file is larger than {limit_mib} MiB, unpacked")
            if extent is not None:
                extent.take(piece)


def _inflated(file: IO[bytes], part: zipfile.ZipInfo, limit: int) -> Iterator[bytes]:
    """Yield what a part really holds, in pieces, and no more than a piece beyond the limit."""
    file.seek(part.header_offset)
    header = file.read(_LOCAL_HEADER_BYTES)
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
        raise FileFault("unreadable", "the file is no sound XLSX file")
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    if part.flag_bits & 1:
        raise FileFault("encrypted", "the file is protected by a password")
    left, inflated = part.compress_size, 0
    if part.compress_type == zipfile.ZIP_STORED:
        while inflated <= limit and (piece := file.read(min(left, _CHUNK_BYTES))):
            left, inflated = left - len(piece), inflated + len(piece)
            yield piece
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise FileFault("unreadable", "the file is packed in an unusual way: save it again")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while inflated <= limit and not unpacker.eof:
            packed = unpacker.unconsumed_tail or file.read(min(left, _CHUNK_BYTES))
            left -= 0 if unpacker.unconsumed_tail else len(packed)
            piece = unpacker.decompress(packed, _CHUNK_BYTES)
            if not packed and not piece:
                return
            inflated += len(piece)
            yield piece
    except zlib.error:
        raise FileFault("unreadable", "the file is damaged") from None


class _Extent:
    """The rectangle of a sheet's cells, by what its XML says about their places."""

    def __init__(self) -> None:
        self._rest = b""
        self._columns = 1
        self._rows = 1
        self._implied = 0

    def take(self, piece: bytes) -> None:
        """Look at a piece of the XML. Raises FileFault when the rectangle is too large."""
        text = self._rest + piece
        self._rest = text[-_OVERLAP_BYTES:]
        places = _PLACE.findall(text)
        if not places:
            return
        names = {name for name, _ in places}
        row = max(int(digits or 0) for _, digits in places)
        self._columns = max(self._columns, *map(_column, names))
        self._rows = max(self._rows, row)
        if self._columns > _COLUMNS_MAX or self._rows > _ROWS_MAX:
            raise FileFault("too-large", "a sheet names a cell that no sheet has")
        if self._columns * self._rows > CELLS_MAX:
            raise FileFault("too-large", f"a sheet reaches over more than {CELLS_MAX:,} cells")


def _column(name: bytes) -> int:
    number = 0
    for letter in name.upper():
        number = 26 * number + letter - 64
    return number

"""From bytes to lines of text, whatever they were written in.

A byte order mark says it. Without one UTF-16 is known by its zero bytes, and everything else is
read as UTF-8, line by line as Windows-1252 where it cannot be that: files that were put together
from several programs hold both.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from services.aggregate.imports.reading.table import ROW_MAX_BYTES, FileFault

UTF_8, UTF_8_BOM, CP1252 = "utf-8", "utf-8-sig", "cp1252"
_MARKS: Final = {
    codecs.BOM_UTF8: UTF_8_BOM,
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_UTF_32_MARKS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_ZERO_SHARE: Final = 0.2  # of the bytes of UTF-16 that is mostly Latin, every other one is zero


def encoding_of(head: bytes) -> tuple[str, int]:
    """Return the encoding that the beginning of a file shows, and the length of its mark."""
    if head.startswith(_UTF_32_MARKS) and not head[4:].startswith(b"\0\0\0\0"):
        raise FileFault("encoding", "the file is UTF-32: save it as UTF-8")
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding, len(mark)
    sample = head[:4096]
    if sample.count(0) > _ZERO_SHARE * len(sample):
        return ("utf-16-le" if sample[1:2] == b"\0" else "utf-16-be"), 0
    return UTF_8, 0


class Lines:
    """The lines of a file as text, with their line ends; each is counted when it is taken.

    `taken`: characters since a reader set it to 0, when it had taken a whole row.
    """

    def __init__(self, head: bytes, chunks: Iterable[bytes], encoding: str) -> None:
        self.number = 0  # of the line that was taken last
        self.taken = 0
        self.otherwise_read = 0  # lines that are no UTF-8
        self.read_bytes = 0
        counted = self._counted(chain([head], chunks))
        is_wide = encoding.startswith("utf-16")
        texts = _transcoded(counted, encoding) if is_wide else counted
        # As old programs end lines, where no line ends otherwise.
        newline = b"\n" if b"\n" in head or b"\r" not in head else b"\r"
        self._lines = self._decoded(_blocks(texts, newline), newline)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Return the next line. Raises csv.Error when the row that it belongs to is too long."""
        line = next(self._lines)
        self.number += 1
        self.taken += len(line) + 1
        if self.taken > ROW_MAX_BYTES:
            raise csv.Error("row-too-large")
        return f"{line}\n"

    def _decoded(self, blocks: Iterable[bytes], newline: bytes) -> Iterator[str]:
        for block in blocks:
            try:
                yield from block.decode(UTF_8).split(newline.decode())
            except UnicodeDecodeError:
                yield from map(self._line, block.split(newline))

    def _line(self, line: bytes) -> str:
        try:
            return line.decode(UTF_8)
        except UnicodeDecodeError:
            self.otherwise_read += 1
            return line.decode(CP1252, "replace")

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.read_bytes += len(chunk)
            yield chunk


def _transcoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode(UTF_8, "replace")


def _blocks(chunks: Iterable[bytes], newline: bytes) -> Iterator[bytes]:
    """Yield whole lines, many at once, without the last line end of each block."""
    rest = b""
    for chunk in chunks:
        whole, end, rest = (rest + chunk).rpartition(newline)
        if end:
            yield whole
        if len(rest) > ROW_MAX_BYTES:
            raise FileFault("row-too-large", "a line is longer than 1 MiB: is this a table?")
    if rest:
        yield rest

"""Whatever bytes a file holds: rows, refused rows or one fault, and nothing else."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregate.imports.opening import open_file
from services.aggregate.imports.options import ImportOptions
from services.aggregate.imports.reading.spreadsheet import MAGIC
from services.aggregate.imports.reading.table import FileFault
from shared.registry.snapshot import Channel
from tests.builders import registry
from tests.fuzz.examples import fuzzed

REGISTRY, CHANNEL = registry(), Channel("berkas", "import")
HEADINGS = ["No", "Jenis Kelamin", "Jenis Layanan", *(f"U{n}" for n in range(1, 10)), "Saran"]
OPTIONS = ImportOptions(opd="disdukcapil")
CELLS = st.one_of(
    st.sampled_from(["4", "1", "", "ktp-el", "L", "=1+1", '"', "\n", "4.0", "9" * 400, "\0"]),
    st.text(max_size=12),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")


def read(*chunks: bytes) -> None:
    try:
        opened = open_file(chunks, OPTIONS, REGISTRY, CHANNEL)
        while rows := opened.rows(100):
            converted = opened.converter.convert(rows)
            assert len(converted.ids) == len(converted.bodies)
            assert len(converted.ids) + len(converted.refusals) <= len(rows)
            assert all(refusal.violations for refusal in converted.refusals)
    except FileFault:
        return


@pytest.mark.timeout(600)
@fuzzed
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_bytes(chunks: list[bytes]) -> None:
    read(*chunks)


@pytest.mark.timeout(600)
@fuzzed
@given(st.binary(max_size=300))
def test_any_bytes_that_look_like_a_spreadsheet(rest: bytes) -> None:
    read(MAGIC + rest)


@pytest.mark.timeout(600)
@fuzzed
@given(
    st.lists(st.lists(CELLS, max_size=15), max_size=6),
    st.sampled_from(";,\t|"),
    st.sampled_from(ENCODINGS),
    st.binary(max_size=8),
)
def test_any_cells_below_the_headings(
    rows: list[list[str]], delimiter: str, encoding: str, tail: bytes
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, escapechar="\\").writerows([HEADINGS, *rows])
    content = text.getvalue().encode(encoding, "replace")
    half = len(content) // 2
    read(content[:half], content[half:], tail)

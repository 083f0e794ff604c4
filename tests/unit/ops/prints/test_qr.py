"""QR codes as they are drawn: every picture holds the modules of the code, none more."""

import re
import struct
import zlib
from itertools import pairwise
from typing import Final

import pytest
import segno

from services.ops.prints.qr import in_terminal, png, qr_of, svg

ADDRESS: Final = "https://ikm.tanjungpinang.go.id/s/disdukcapil/ktp-el?p=loket-3"
Modules = list[list[bool]]


@pytest.fixture
def code() -> segno.QRCode:
    return qr_of(ADDRESS)


def modules(code: segno.QRCode, border: int) -> Modules:
    return [[bool(module) for module in row] for row in code.matrix_iter(border=border)]


def drawn_by_png(picture: bytes) -> Modules:
    """The pixels of a picture of one bit each, which is all that segno writes here."""
    width, height, depth, colours = struct.unpack(">IIBB", picture[16:26])
    assert (depth, colours) in ((1, 0), (1, 3))
    data, place = b"", 8
    while place < len(picture):
        (size,) = struct.unpack(">I", picture[place : place + 4])
        if picture[place + 4 : place + 8] == b"IDAT":
            data += picture[place + 8 : place + 8 + size]
        place += size + 12
    raw, line = zlib.decompress(data), (width + 7) // 8 + 1
    rows = [raw[line * row + 1 : line * (row + 1)] for row in range(height)]
    return [[not row[x // 8] >> 7 - x % 8 & 1 for x in range(width)] for row in rows]


def drawn_by_svg(picture: str) -> Modules:
    """What the strokes of the path cover."""
    (size,) = re.findall(r'viewBox="0 0 (\d+) \1"', picture)
    (path,) = re.findall(r'stroke="#000" d="([^"]+)"', picture)
    dark = [[False] * int(size) for _ in range(int(size))]
    x, y = 0, -0.5
    for kind, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        steps = [float(number) for number in numbers.split()]
        if kind == "h":
            for column in range(x, x + int(steps[0])):
                dark[int(y)][column] = True
            x += int(steps[0])
        else:
            x, y = (int(steps[0]), steps[1]) if kind == "M" else (x + int(steps[0]), y + steps[1])
    return dark


def test_a_png_shows_the_code_and_its_quiet_zone(code: segno.QRCode) -> None:
    pixels = drawn_by_png(png(code))
    expected = modules(code, 4)
    scale = len(pixels) // len(expected)
    assert [row[::scale] for row in pixels[::scale]] == expected
    changes = {
        x for row in pixels for x, (left, right) in enumerate(pairwise(row), 1) if left != right
    }
    assert all(x % scale == 0 for x in changes)


def test_an_svg_shows_the_code_and_its_quiet_zone(code: segno.QRCode) -> None:
    assert drawn_by_svg(svg(code).decode()) == modules(code, 4)


def test_a_terminal_shows_the_code() -> None:
    lines = in_terminal(ADDRESS).splitlines()
    lit = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
    rows = [[lit[sign][half] for sign in line] for line in lines for half in (0, 1)]
    light = [[not module for module in row] for row in rows]
    expected = modules(qr_of(ADDRESS, "l"), 2)
    assert light[: len(expected)] == expected
    assert max(map(len, lines)) <= 50


def test_a_quarter_of_a_sign_may_be_unreadable(code: segno.QRCode) -> None:
    assert code.error in ("Q", "H")

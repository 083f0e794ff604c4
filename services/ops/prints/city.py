"""The signs of many layanan in a folder: printed again, only what differs is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.ops.prints import qr
from services.ops.prints.files import put
from services.ops.prints.signs import CounterSign, SignPrinter
from shared.progress import Progress, untold
from shared.registry.snapshot import Registry

ALL_SIGNS: Final = "semua.pdf"  # of several layanan, to be printed at once


def write_signs(
    signs: Sequence[CounterSign], registry: Registry, folder: Path, tell: Progress = untold
) -> tuple[int, int]:
    """Write SVG, PNG and PDF of each sign; return how many files there are and were written."""
    printer = SignPrinter(registry)
    written = []
    for number, sign in enumerate(signs, 1):
        code = qr.qr_of(sign.address)
        for ending, content in (
            ("svg", qr.svg(code)),
            ("png", qr.png(code)),
            ("pdf", printer.pdf([sign])),
        ):
            written.append(put(folder / sign.opd.code / f"{_stem(sign)}.{ending}", content))
        tell(number, len(signs))
    if len(signs) > 1:
        written.append(put(folder / ALL_SIGNS, printer.pdf(signs)))
    return len(written), sum(written)


def _stem(sign: CounterSign) -> str:
    # No code and no point holds an @: `ktp` at `el` and `ktp-el` have different files.
    return sign.layanan.code if sign.point is None else f"{sign.layanan.code}@{sign.point}"

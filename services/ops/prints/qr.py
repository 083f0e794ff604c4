"""A QR code of an address: as SVG and PNG, and in characters for a terminal."""

from io import BytesIO, StringIO
from typing import Final

import segno

# How much of it may be dirty or scratched: a quarter of what hangs on a counter for years, less of
# what is held in a hand for a minute, nothing of a screen.
OF_A_SIGN: Final = "q"
OF_A_TICKET: Final = "m"
_OF_A_SCREEN: Final = "l"
_PNG_PIXELS: Final = 12  # of a module: 5 cm at 300 dpi
_DARK: Final = "#000"


def qr_of(address: str, correction: str = OF_A_SIGN) -> segno.QRCode:
    """Return the QR code of an address."""
    return segno.make_qr(address, error=correction)


def svg(code: segno.QRCode) -> bytes:
    """Return the code as SVG, with its quiet zone."""
    out = BytesIO()
    code.save(out, kind="svg", dark=_DARK, light="#fff", xmldecl=False, unit="", omitsize=True)
    return out.getvalue()


def png(code: segno.QRCode) -> bytes:
    """Return the code as PNG, large enough for a page."""
    out = BytesIO()
    code.save(out, kind="png", scale=_PNG_PIXELS, dark=_DARK, light="#fff")
    return out.getvalue()


def in_terminal(address: str) -> str:
    """Return the QR code of an address in half blocks, as small as it can be."""
    out = StringIO()
    qr_of(address, _OF_A_SCREEN).terminal(out, border=2, compact=True)
    return out.getvalue().rstrip("\n")

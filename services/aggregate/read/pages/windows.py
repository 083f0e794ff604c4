"""The windows that the page offers, by their Indonesian names."""

from datetime import date

from services.aggregate.read.pages.words import MONTHS, day
from shared.domain.window import Window, public_windows

_NAMES = {"3m": "3 bulan", "12m": "12 bulan", "all": "Semua"}
_KINDS = {"Q": "Triwulan", "S": "Semester"}


def choices(today: date) -> list[tuple[Window, str]]:
    """Return the public windows kept ready, with their labels; periods as "Triwulan 4 2026"."""
    current_month, *others = public_windows(today)
    return [(current_month, "Bulan ini"), *((window, label(window)) for window in others)]


def days_of(window: Window) -> str:
    """Write which days a window holds."""
    if window.first is None or window.last is None:
        return "seluruh data yang ada"
    if window.first == window.last:
        return day(window.first)
    return f"{day(window.first)} sampai {day(window.last)}"


def label(window: Window) -> str:
    """Return what a public window is called: "Triwulan 4 2026", "Mei 2026", "12 bulan"."""
    if window.name in _NAMES:
        return _NAMES[window.name]
    year, _, part = window.name.partition("-")
    if not part:
        return f"Tahun {year}"
    if part.isdigit():
        return f"{MONTHS[int(part) - 1]} {year}"
    return f"{_KINDS[part[0]]} {part[1:]} {year}"

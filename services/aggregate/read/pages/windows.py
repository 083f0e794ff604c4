"""The windows that the page offers, by their Indonesian names."""

from datetime import date

from services.aggregate.read.pages.words import day
from shared.domain.window import Window, rolling_windows

_NAMES = {
    "today": "Hari ini",
    "7d": "7 hari",
    "30d": "30 hari",
    "90d": "90 hari",
    "365d": "365 hari",
    "all": "Semua",
}


def choices(today: date) -> list[tuple[Window, str]]:
    """Return the rolling windows with their labels; periods as "Triwulan 4 2026"."""
    return [(window, _label(window)) for window in rolling_windows(today)]


def days_of(window: Window) -> str:
    """Write which days a window holds."""
    if window.first is None or window.last is None:
        return "seluruh data yang ada"
    if window.first == window.last:
        return day(window.first)
    return f"{day(window.first)} sampai {day(window.last)}"


def _label(window: Window) -> str:
    if window.name in _NAMES:
        return _NAMES[window.name]
    year, _, part = window.name.partition("-")
    kind = {"Q": "Triwulan", "S": "Semester"}.get(part[:1])
    return f"{kind} {part[1:]} {year}" if kind else f"Tahun {year}"

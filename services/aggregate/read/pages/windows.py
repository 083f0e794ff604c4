"""The windows that the page offers, by their Indonesian names."""

from datetime import date

from services.aggregate.read.pages.words import day
from shared.domain.window import DAYS, Window, rolling

_NAMES = {
    "today": "Hari ini",
    "7d": "7 hari",
    "30d": "30 hari",
    "90d": "90 hari",
    "365d": "365 hari",
    "all": "Semua",
}


def choices(today: date) -> list[tuple[Window, str]]:
    """The rolling windows with their labels; the current periods by their own names."""
    return [(window, _label(window)) for window in rolling(today)]


def days_of(window: Window) -> str:
    """Which days a window holds, in words."""
    if window.first is None or window.last is None:
        return "seluruh data yang ada"
    if window.first == window.last:
        return day(window.first)
    return f"{day(window.first)} sampai {day(window.last)}"


def _label(window: Window) -> str:
    if window.name in DAYS or window.name in _NAMES:
        return _NAMES[window.name]
    year, _, part = window.name.partition("-")
    kind = {"Q": "Triwulan", "S": "Semester"}.get(part[:1])
    return f"{kind} {part[1:]} {year}" if kind else f"Tahun {year}"

"""Public figures as rows of the released table."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.aggregate.rolling.released.calendar import PublicCalendar
from services.aggregate.rolling.released.public_figures import PublicFigures, latest
from services.aggregate.rolling.rolling_rows import (
    WindowSummary,
    columns,
    summaries_of_instansi,
    summaries_of_opd,
)
from shared.registry.snapshot import Registry
from shared.storage.released.rows import ReleasedRow
from shared.storage.rolling import ALL_LAYANAN


class PublicSummary(NamedTuple):
    """What a public row says; see ReleasedRow."""

    window_summary: WindowSummary
    released_at: datetime | None
    withheld: bool


# Of an OPD or the instansi, by layanan (or ALL_LAYANAN) and the window's name.
PublicSummaries = Mapping[tuple[str, str], PublicSummary]


def public_summaries(figures: PublicFigures, calendar: PublicCalendar) -> PublicSummaries:
    """Return everything that is public of an OPD."""
    summaries = summaries_of_opd(figures.windows, calendar.windows)
    public = {}
    for layanan in [*figures.windows.layanan, ALL_LAYANAN]:
        instants = figures.released_at(layanan)
        for window, released_at, lacking in zip(
            calendar.windows, instants, figures.lacking, strict=True
        ):
            key = layanan, window.name
            public[key] = _public(summaries[key], released_at, is_lacking=layanan in lacking)
    return public


def public_summaries_of_instansi(
    opds: Sequence[PublicFigures], registry: Registry, calendar: PublicCalendar
) -> PublicSummaries:
    """Return everything that is public of the instansi."""
    opd_windows = [figures.windows for figures in opds]
    summaries = summaries_of_instansi(opd_windows, registry, calendar.windows, calendar.today)
    instants = [figures.released_at(ALL_LAYANAN) for figures in opds]
    return {
        key: _public(
            summary,
            latest(released_at[position] for released_at in instants),
            is_lacking=any(ALL_LAYANAN in figures.lacking[position] for figures in opds),
        )
        for position, (key, summary) in enumerate(summaries.items())
    }


def public_rows_of(opd: str, summaries: PublicSummaries, version: int) -> Iterator[ReleasedRow]:
    """Yield the rows that say this of an OPD (or INSTANSI)."""
    for (layanan, _), (window_summary, released_at, withheld) in summaries.items():
        yield ReleasedRow(
            **columns(opd, layanan, window_summary),
            version=version,
            released_at=released_at,
            withheld=withheld,
        )


def _public(
    window_summary: WindowSummary, released_at: datetime | None, *, is_lacking: bool
) -> PublicSummary:
    is_nothing = not window_summary.summary.respondents
    return PublicSummary(window_summary, released_at, is_nothing or is_lacking)

"""The bodies of an index: what a row or a sum of tallies says, with the names of the registry."""

from datetime import datetime

from services.aggregate.read.bodies import InstansiIndex, OpdIndex, OpdLine, Period
from services.aggregate.rolling.rolling_rows import WindowSummary
from services.aggregate.rolling.rollup import roll_up
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd, Registry


def period(window: Window) -> Period:
    """Return the days of a window."""
    return Period(window.name, window.first, window.last)


def opd_index(
    registry: Registry,
    opd: Opd,
    layanan: Layanan | None,
    window_summary: WindowSummary,
    changed_at: datetime | None,
) -> OpdIndex:
    """Return the index of one OPD, or of one of its layanan."""
    summary = window_summary.summary
    return OpdIndex(
        opd=opd.code,
        name=opd.name,
        layanan=layanan.code if layanan is not None else None,
        layanan_name=layanan.name if layanan is not None else None,
        window=period(window_summary.window),
        respondents=summary.respondents,
        ikm=summary.ikm,
        mutu=summary.mutu,
        kinerja=summary.kinerja,
        ci95=summary.ci95,
        scheme=summary.scheme,
        unsur=summary.unsur,
        comparison=summary.comparison,
        sample=summary.sample,
        updated_at=_counted_at(registry, window_summary, changed_at),
    )


def opd_line(
    registry: Registry, opd: Opd, window_summary: WindowSummary, changed_at: datetime | None
) -> OpdLine:
    """Return the line of one OPD in the list of all."""
    summary = window_summary.summary
    return OpdLine(
        code=opd.code,
        name=opd.name,
        respondents=summary.respondents,
        ikm=summary.ikm,
        mutu=summary.mutu,
        kinerja=summary.kinerja,
        ci95=summary.ci95,
        updated_at=_counted_at(registry, window_summary, changed_at),
    )


def instansi_index(
    registry: Registry, window_summary: WindowSummary, changed_at: datetime | None
) -> InstansiIndex:
    """Return the index of the whole instansi."""
    summary = window_summary.summary
    rollup = window_summary.rollup or roll_up(summary, (), registry.instansi.primary)
    return InstansiIndex(
        code=registry.instansi.code,
        name=registry.instansi.name,
        respondents=summary.respondents,
        primary=rollup.primary,
        ikm=summary.ikm,
        mutu=summary.mutu,
        kinerja=summary.kinerja,
        ci95=summary.ci95,
        scheme=summary.scheme,
        pooled=rollup.pooled,
        mean=rollup.mean,
        sample=summary.sample,
        updated_at=_counted_at(registry, window_summary, changed_at),
    )


def is_listed(opd: Opd, window: Window, window_summary: WindowSummary) -> bool:
    """Return whether an OPD belongs into the list under a window.

    It does when it has respondents, or was open on the last day of the window.
    """
    return window_summary.summary.respondents > 0 or window.last is None or opd.is_open(window.last)


def _counted_at(
    registry: Registry, window_summary: WindowSummary, changed_at: datetime | None
) -> datetime | None:
    """Return when the last count changed a figure; None without respondents: none ever did."""
    if changed_at is None or not window_summary.summary.respondents:
        return None
    return local_time(registry, changed_at)


def local_time(registry: Registry, instant: datetime) -> datetime:
    """Return an instant with the offset of the instansi's zone."""
    return instant.astimezone(registry.instansi.zone)

"""The bodies of an index: what a row or a sum of tallies says, with the names of the registry."""

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from services.aggregate.read.bodies import InstansiIndex, OpdIndex, OpdLine, Period
from services.aggregate.read.view import PUBLIC, View
from services.aggregate.rolling.rolling_rows import WindowSummary
from services.aggregate.rolling.rollup import roll_up
from services.aggregate.rolling.summary import Summary
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd, Registry


class Standing(NamedTuple):
    """Under which view figures are shown, and of when they are.

    `changed_at`, of the internal view: when the last count changed them; `released_at`, of the
    public one: when their latest release step was taken. `withheld`: something is left out.
    """

    view: View
    changed_at: datetime | None = None
    released_at: datetime | None = None
    withheld: bool = False


def period(window: Window) -> Period:
    """Return the days of a window."""
    return Period(window.name, window.first, window.last)


def opd_index(
    registry: Registry,
    opd: Opd,
    layanan: Layanan | None,
    window_summary: WindowSummary,
    standing: Standing,
) -> OpdIndex:
    """Return the index of one OPD, or of one of its layanan."""
    summary = window_summary.summary
    is_silent = _is_silent(summary, standing)
    unsur, sample = summary.unsur, summary.sample
    if is_silent:
        unsur = tuple(replace(figure, answered=None) for figure in unsur)
        sample = replace(sample, achieved=None)
    return OpdIndex(
        opd=opd.code,
        name=opd.name,
        layanan=layanan.code if layanan is not None else None,
        layanan_name=layanan.name if layanan is not None else None,
        window=period(window_summary.window),
        view=standing.view,
        respondents=None if is_silent else summary.respondents,
        ikm=summary.ikm,
        mutu=summary.mutu,
        kinerja=summary.kinerja,
        ci95=summary.ci95,
        scheme=summary.scheme,
        unsur=unsur,
        comparison=summary.comparison,
        sample=sample,
        updated_at=_counted_at(registry, summary, standing),
        released_at=released_time(registry, standing.released_at),
        withheld=standing.withheld or is_silent,
    )


def opd_line(
    registry: Registry, opd: Opd, window_summary: WindowSummary, standing: Standing
) -> OpdLine:
    """Return the line of one OPD in the list of all."""
    summary = window_summary.summary
    is_silent = _is_silent(summary, standing)
    return OpdLine(
        code=opd.code,
        name=opd.name,
        respondents=None if is_silent else summary.respondents,
        ikm=summary.ikm,
        mutu=summary.mutu,
        kinerja=summary.kinerja,
        ci95=summary.ci95,
        updated_at=_counted_at(registry, summary, standing),
        released_at=released_time(registry, standing.released_at),
        withheld=standing.withheld or is_silent,
    )


def instansi_index(
    registry: Registry, window_summary: WindowSummary, standing: Standing
) -> InstansiIndex:
    """Return the index of the whole instansi."""
    summary = window_summary.summary
    rollup = window_summary.rollup or roll_up(summary, (), registry.instansi.primary)
    is_silent = _is_silent(summary, standing)
    return InstansiIndex(
        code=registry.instansi.code,
        name=registry.instansi.name,
        respondents=None if is_silent else summary.respondents,
        primary=rollup.primary,
        ikm=summary.ikm,
        mutu=summary.mutu,
        kinerja=summary.kinerja,
        ci95=summary.ci95,
        scheme=summary.scheme,
        pooled=rollup.pooled,
        mean=rollup.mean,
        sample=replace(summary.sample, achieved=None) if is_silent else summary.sample,
        updated_at=_counted_at(registry, summary, standing),
        released_at=released_time(registry, standing.released_at),
        withheld=standing.withheld or is_silent,
    )


def is_listed(opd: Opd, window: Window, window_summary: WindowSummary) -> bool:
    """Return whether an OPD belongs into the list under a window.

    It does when it has respondents, or was open on the last day of the window.
    """
    return window_summary.summary.respondents > 0 or window.last is None or opd.is_open(window.last)


def local_time(registry: Registry, instant: datetime) -> datetime:
    """Return an instant with the offset of the instansi's zone."""
    return instant.astimezone(registry.instansi.zone)


def released_time(registry: Registry, released_at: datetime | None) -> datetime | None:
    """Return when the latest release step was taken, in the instansi's zone."""
    return None if released_at is None else local_time(registry, released_at)


def _is_silent(summary: Summary, standing: Standing) -> bool:
    """Return whether nothing may be said: to the public, that nobody answered is a figure too."""
    return standing.view == PUBLIC and summary.respondents == 0


def _counted_at(registry: Registry, summary: Summary, standing: Standing) -> datetime | None:
    """Return when the last count changed a figure; None without respondents: none ever did."""
    if standing.changed_at is None or not summary.respondents:
        return None
    return local_time(registry, standing.changed_at)

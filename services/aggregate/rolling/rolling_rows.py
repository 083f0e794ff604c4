"""Summaries as rows of the rolling table, and back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from services.aggregate.rolling.opd_figures import OpdWindows
from services.aggregate.rolling.rollup import Rollup, instansi_figures
from services.aggregate.rolling.summary import Sample, Summary, UnsurFigure, letter_and_kinerja
from shared.domain.window import Window
from shared.registry.snapshot import Registry
from shared.storage.released.rows import ReleasedRow
from shared.storage.rolling import ALL_LAYANAN, RollingRow

encode = msgspec.json.Encoder(decimal_format="number").encode


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `rolling_ikm.detail` holds; `rollup` for the instansi alone."""

    unsur: tuple[UnsurFigure, ...]
    comparison: dict[str, Decimal | None]
    sample: Sample
    rollup: Rollup | None = None


_decode_detail = msgspec.json.Decoder(Detail).decode


class WindowSummary(NamedTuple):
    """What a row says, apart from when it was written; `rollup` for the instansi alone."""

    window: Window
    summary: Summary
    rollup: Rollup | None = None


# Of an OPD or the instansi, by layanan (or ALL_LAYANAN) and the window's name.
WindowSummaries = Mapping[tuple[str, str], WindowSummary]


def summaries_of_opd(figures: OpdWindows, windows: Sequence[Window]) -> WindowSummaries:
    """Return everything that is kept of an OPD."""
    figures_by_layanan = {**figures.layanan, ALL_LAYANAN: figures.whole}
    return {
        (layanan, window.name): WindowSummary(window, summary)
        for layanan, window_figures in figures_by_layanan.items()
        for window, summary in zip(windows, window_figures.summaries, strict=True)
    }


def summaries_of_instansi(
    opds: Sequence[OpdWindows], registry: Registry, windows: Sequence[Window], today: date
) -> WindowSummaries:
    """Return everything that is kept of the instansi."""
    summaries = {}
    for position, window in enumerate(windows):
        pools = [figures.whole.pools[position] for figures in opds]
        indices = [figures.indices[position] for figures in opds]
        summary, rollup = instansi_figures(pools, indices, registry, today)
        summaries[ALL_LAYANAN, window.name] = WindowSummary(window, summary, rollup)
    return summaries


def changed(summaries: WindowSummaries, written: WindowSummaries) -> WindowSummaries:
    """Return the summaries that are not written so yet."""
    return {key: summary for key, summary in summaries.items() if written.get(key) != summary}


def rows_of(
    opd: str, summaries: WindowSummaries, version: int, now: datetime
) -> Iterator[RollingRow]:
    """Yield the rows that say this of an OPD (or INSTANSI)."""
    for (layanan, _), summary in summaries.items():
        yield RollingRow(**columns(opd, layanan, summary), version=version, computed_at=now)


def columns(opd: str, layanan: str, window_summary: WindowSummary) -> dict[str, Any]:
    """Return the columns of a row that do not depend on when it is written."""
    window, summary, rollup = window_summary
    low, high = summary.ci95 or (None, None)
    detail = Detail(summary.unsur, summary.comparison, summary.sample, rollup)
    return {
        "opd": opd,
        "layanan": layanan,
        "window": window.name,
        "first": window.first,
        "last": window.last,
        "respondents": summary.respondents,
        "ikm": summary.ikm,
        "mutu": summary.mutu,
        "ci_low": low,
        "ci_high": high,
        "scheme": summary.scheme,
        "detail": msgspec.Raw(encode(detail)),
    }


def window_summary(row: RollingRow | ReleasedRow) -> WindowSummary:
    """Return what a row says."""
    detail = _decode_detail(row.detail)
    _, kinerja = letter_and_kinerja(row.ikm)
    summary = Summary(
        respondents=row.respondents,
        ikm=row.ikm,
        mutu=row.mutu,
        kinerja=kinerja,
        ci95=None if row.ci_low is None or row.ci_high is None else (row.ci_low, row.ci_high),
        scheme=row.scheme,
        unsur=detail.unsur,
        comparison=detail.comparison,
        sample=detail.sample,
    )
    return WindowSummary(Window(row.window, row.first, row.last), summary, detail.rollup)

"""Summaries as rows of the rolling table, and back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from services.aggregate.rolling.opd_figures import WHOLE, Known
from services.aggregate.rolling.rollup import Rollup, instansi_of_window
from services.aggregate.rolling.segments import Calendar
from services.aggregate.rolling.summary import Sample, Summary, UnsurFigure, words
from shared.domain.window import Window
from shared.registry.snapshot import Registry
from shared.storage.rolling import INSTANSI, RollingRow

encode = msgspec.json.Encoder(decimal_format="number").encode


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `rolling_ikm.detail` holds; `rollup` for the instansi alone."""

    unsur: tuple[UnsurFigure, ...]
    comparison: dict[str, Decimal | None]
    sample: Sample
    rollup: Rollup | None = None


_decode = msgspec.json.Decoder(Detail).decode


class Content(NamedTuple):
    """What a row says, apart from when it was written."""

    window: Window
    summary: Summary
    rollup: Rollup | None = None


Contents = Mapping[tuple[str, str], Content]  # by layanan (WHOLE) and the window's name


def contents(known: Known, calendar: Calendar) -> Contents:
    """Everything that is kept of an OPD."""
    groups = {**known.services, WHOLE: known.whole}
    return {
        (layanan, window.name): Content(window, summary)
        for layanan, group in groups.items()
        for window, summary in zip(calendar.windows, group.summaries, strict=True)
    }


def contents_of_instansi(
    known: Sequence[Known], registry: Registry, calendar: Calendar
) -> Contents:
    """Everything that is kept of the instansi."""
    return {
        (WHOLE, window.name): Content(
            window, *instansi_of_window(known, at, registry, calendar.today)
        )
        for at, window in enumerate(calendar.windows)
    }


def changed(new: Contents, written: Contents) -> dict[tuple[str, str], Content]:
    """What is not written so yet."""
    return {key: content for key, content in new.items() if written.get(key) != content}


def rows(opd: str, found: Contents, version: int, now: datetime) -> Iterator[RollingRow]:
    """As rows of an OPD (or INSTANSI)."""
    for (layanan, _), content in found.items():
        window, summary = content.window, content.summary
        low, high = summary.ci95 or (None, None)
        yield RollingRow(
            opd=opd,
            layanan=layanan,
            window=window.name,
            first=window.first,
            last=window.last,
            respondents=summary.respondents,
            ikm=summary.ikm,
            mutu=summary.mutu,
            ci_low=low,
            ci_high=high,
            scheme=summary.scheme,
            detail=msgspec.Raw(
                encode(Detail(summary.unsur, summary.comparison, summary.sample, content.rollup))
            ),
            version=version,
            computed_at=now,
        )


def content_of(row: RollingRow) -> Content:
    """What a row says."""
    detail = _decode(row.detail)
    summary = Summary(
        respondents=row.respondents,
        ikm=row.ikm,
        mutu=row.mutu,
        kinerja=words(row.ikm)[1],
        ci95=None if row.ci_low is None or row.ci_high is None else (row.ci_low, row.ci_high),
        scheme=row.scheme,
        unsur=detail.unsur,
        comparison=detail.comparison,
        sample=detail.sample,
    )
    return Content(Window(row.window, row.first, row.last), summary, detail.rollup)


__all__ = [
    "INSTANSI",
    "Content",
    "Contents",
    "Detail",
    "changed",
    "content_of",
    "contents",
    "encode",
    "rows",
]

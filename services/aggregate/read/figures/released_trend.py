"""How the public index moved: one point a month, made of released tallies."""

from collections.abc import Mapping, Sequence
from datetime import date

from services.aggregate.read.bodies import Trend, TrendPoint
from services.aggregate.read.figures.index_bodies import released_time
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import PUBLIC
from services.aggregate.rolling.pools import headline_of, pool
from services.aggregate.rolling.summary import Headline
from shared.domain.window import buckets, named_window, periods_of
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.storage.released import months as released_months
from shared.storage.released.months import ReleasedMonth

STEP = "month"


def released_trend(source: FigureSource, opd: Opd, layanan: Layanan | None) -> Trend:
    """Return the points from the first released month to this one, those without figures too."""
    layanan_code = layanan.code if layanan is not None else None
    registry = source.registry
    with source.reading() as connection:
        sums = released_months.by_month(connection, opd.code, registry.unsur_max, layanan_code)
        lacking = released_months.lacking_months(connection, opd.code, layanan_code)
    headlines = _headlines(sums, registry)
    released_at = max((month_sum.released_at for month_sum in sums), default=None)
    return Trend(
        opd=opd.code,
        name=opd.name,
        layanan=layanan_code,
        step=STEP,
        scheme=registry.instansi.scheme,
        view=PUBLIC,
        released_at=released_time(registry, released_at),
        series=[
            _point(first, last, headlines.get(month), is_lacking=month in lacking)
            for first, last in _days_of_months(sums, source.today)
            for month in [periods_of(first)[0].name]
        ],
    )


def _headlines(sums: Sequence[ReleasedMonth], registry: Registry) -> Mapping[str, Headline]:
    by_month: dict[str, list[ReleasedMonth]] = {}
    for month_sum in sums:
        by_month.setdefault(month_sum.month, []).append(month_sum)
    return {
        month: headline_of(
            pool((part.questionnaire, part.vector) for part in sums_of_month), registry
        )
        for month, sums_of_month in by_month.items()
    }


def _days_of_months(sums: Sequence[ReleasedMonth], today: date) -> list[tuple[date, date]]:
    """Return the whole months from the first released one to this one; none without any."""
    first = named_window(sums[0].month, today).first if sums else None
    last = periods_of(today)[0].last
    if first is None or last is None:
        return []
    return buckets(STEP, first, max(first, last))


def _point(first: date, last: date, headline: Headline | None, *, is_lacking: bool) -> TrendPoint:
    if headline is None:
        return TrendPoint(first, last, None, None, None, withheld=True)
    return TrendPoint(first, last, *headline, withheld=is_lacking)

"""How the internal index moved: one point a local day, ISO week or month."""

from datetime import date

from services.aggregate.read.bodies import Trend, TrendPoint
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.parameters import Step, contradiction
from services.aggregate.read.view import INTERNAL
from services.aggregate.rolling.pools import headline_of, pools_by
from shared.domain.window import buckets
from shared.registry.snapshot import Layanan, Opd
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope

POINTS_MAX = 4000
_DAYS_OF_STEP = {"day": 1, "week": 7, "month": 28}  # or more

RequestedDays = tuple[date | None, date | None]  # None: that side is open
Days = tuple[date, date]


def trend(
    source: FigureSource, opd: Opd, layanan: Layanan | None, step: Step, requested: RequestedDays
) -> Trend:
    """Return the points from the first day to the last one, those without respondents too.

    A side that is left open goes as far as there are respondents, the last day at least to today;
    where the first day is left open, no more than about POINTS_MAX. Raises Refused when the days
    asked for make more than that.
    """
    layanan_code = layanan.code if layanan is not None else None
    return Trend(
        opd=opd.code,
        name=opd.name,
        layanan=layanan_code,
        step=step,
        scheme=source.registry.instansi.scheme,
        view=INTERNAL,
        released_at=None,
        series=_series(source, opd, layanan_code, step, requested),
    )


def _series(
    source: FigureSource, opd: Opd, layanan_code: str | None, step: Step, requested: RequestedDays
) -> list[TrendPoint]:
    registry = source.registry
    with source.reading() as connection:
        extent = tally_sums.extent(connection, opd.code, Scope(layanan=layanan_code))
        days = _days(requested, extent, source.today, step)
        if days is None:
            return []
        buckets_of_days = buckets(step, *days)
        borders = [first for first, _ in buckets_of_days]
        scope = Scope(*days, layanan_code)
        sums = tally_sums.by_segment(connection, [opd.code], registry.unsur_max, borders, scope)
    pools = pools_by(sums, lambda segment_sum: segment_sum.segment)
    return [
        TrendPoint(first, last, *headline_of(pools.get(segment, {}), registry), withheld=False)
        for segment, (first, last) in enumerate(buckets_of_days, start=1)
    ]


def _days(requested: RequestedDays, extent: Days | None, today: date, step: Step) -> Days | None:
    """Return the days of the trend; None when there are none."""
    first, last = requested
    if extent is None and (first is None or last is None):
        return None
    earliest, latest = extent or (today, today)
    days_max = POINTS_MAX * _DAYS_OF_STEP[step]
    if last is None:
        last = max(today, latest)
    if first is None:
        first = max(earliest, date.fromordinal(max(1, last.toordinal() - days_max)))
    elif (last - first).days >= days_max:
        raise contradiction(
            f"more than {POINTS_MAX} points: take a longer step or fewer days", "step", "from"
        )
    return (first, last) if first <= last else None

"""How an index moved: one point a local day, ISO week or month."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.aggregate.read.bodies import Trend, TrendPoint
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.parameters import Step, contradiction
from services.aggregate.rolling.opd_figures import Pool, parts, pool, scheme_of
from services.aggregate.rolling.summary import index_only
from shared.domain.window import buckets
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, SegmentSum, Vector

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
    with source.reading() as connection:
        extent = tally_sums.extent(connection, opd.code, Scope(layanan=layanan_code))
        days = _days(requested, extent, source.today, step)
        buckets_of_days = buckets(step, *days) if days is not None else []
        borders = [first for first, _ in buckets_of_days]
        sums = (
            tally_sums.by_segment(
                connection, [opd.code], source.unsur_max, borders, Scope(*days, layanan_code)
            )
            if days is not None
            else []
        )
    return Trend(
        opd=opd.code,
        name=opd.name,
        layanan=layanan_code,
        step=step,
        scheme=source.registry.instansi.scheme,
        series=_points(buckets_of_days, _pools(sums), source.registry),
    )


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


def _pools(sums: Iterable[SegmentSum]) -> dict[int, Pool]:
    """Return the sums of each segment of days, all layanan together."""
    vectors: dict[int, list[tuple[str, Vector]]] = {}
    for tally_sum in sums:
        vectors.setdefault(tally_sum.segment, []).append(
            (tally_sum.questionnaire, tally_sum.vector)
        )
    return {segment: pool(vectors_of_segment) for segment, vectors_of_segment in vectors.items()}


def _points(
    buckets_of_days: Sequence[Days], pools: Mapping[int, Pool], registry: Registry
) -> list[TrendPoint]:
    scheme, points = scheme_of(registry), []
    for segment, (first, last) in enumerate(buckets_of_days, start=1):
        pooled = pools.get(segment)
        figures = (0, None, None) if pooled is None else index_only(parts(pooled, registry), scheme)
        points.append(TrendPoint(first, last, *figures))
    return points

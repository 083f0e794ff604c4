"""How an index moved: one point a local day, ISO week or month."""

from collections.abc import Mapping
from datetime import date

from services.aggregate.read.bodies import Trend, TrendPoint
from services.aggregate.read.figures.tally_index import Tallies
from services.aggregate.read.parameters import Step, contradiction
from services.aggregate.rolling.opd_figures import Pool, parts, pool, scheme_of
from services.aggregate.rolling.summary import index_only
from shared.domain.window import buckets
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, Vector

MOST_POINTS = 4000
_DAYS_OF_STEP = {"day": 1, "week": 7, "month": 28}  # or more

Days = tuple[date | None, date | None]


def trend(tallies: Tallies, opd: Opd, layanan: Layanan | None, step: Step, asked: Days) -> Trend:
    """Return the points from the first day to the last one, those without respondents too.

    A side that is left open goes as far as there are respondents, the last day at least to today;
    where the first day is left open, no more than about MOST_POINTS. Raises Refused when the days
    asked for make more than that.
    """
    registry, code = tallies.registry, layanan.code if layanan is not None else None
    with tallies.reading() as connection:
        extent = tally_sums.extent(connection, opd.code, Scope(layanan=code))
        days = _days(asked, extent, tallies.today, step)
        steps = buckets(step, *days) if days is not None else []
        borders = [first for first, _ in steps]
        scope = Scope(*days, code) if days is not None else None
        sums = (
            tally_sums.by_segment(connection, [opd.code], tallies.size, borders, scope)
            if scope is not None
            else []
        )
    vectors: dict[int, list[tuple[str, Vector]]] = {}
    for one in sums:
        vectors.setdefault(one.cut, []).append((one.questionnaire, one.vector))
    pools = {cut: pool(of_cut) for cut, of_cut in vectors.items()}
    return Trend(
        opd=opd.code,
        name=opd.name,
        layanan=code,
        step=step,
        scheme=registry.instansi.scheme,
        series=_points(steps, pools, registry),
    )


def _days(
    asked: Days, extent: tuple[date, date] | None, today: date, step: Step
) -> tuple[date, date] | None:
    first, last = asked
    if extent is None and (first is None or last is None):
        return None
    earliest, latest = extent or (today, today)
    longest = MOST_POINTS * _DAYS_OF_STEP[step]
    if last is None:
        last = max(today, latest)
    if first is None:
        first = max(earliest, date.fromordinal(max(1, last.toordinal() - longest)))
    elif (last - first).days >= longest:
        raise contradiction(
            f"more than {MOST_POINTS} points: take a longer step or fewer days", "step", "from"
        )
    return (first, last) if first <= last else None


def _points(
    steps: list[tuple[date, date]], pools: Mapping[int, Pool], registry: Registry
) -> list[TrendPoint]:
    scheme, points = scheme_of(registry), []
    for cut, (first, last) in enumerate(steps, start=1):
        pooled = pools.get(cut)
        figures = (0, None, None) if pooled is None else index_only(parts(pooled, registry), scheme)
        points.append(TrendPoint(first, last, *figures))
    return points

"""What an OPD's tallies say under every rolling window: computed from sums of segments of days.

What did not change since the last computation is reused. All values are immutable: a refresh that
fails leaves the figures before it as they were.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from operator import add

from services.aggregate.rolling import population
from services.aggregate.rolling.live_months import NO_MONTHS, LiveMonths
from services.aggregate.rolling.pools import Pool, exact_index, pool, pool_together, summary_of
from services.aggregate.rolling.segments import Calendar
from services.aggregate.rolling.summary import Summary
from shared.domain.questionnaire import SKM_2017
from shared.domain.window import Window
from shared.registry.snapshot import Opd, Registry
from shared.storage.rolling import OpdState
from shared.storage.tallies.tally_sums import MonthSum, SegmentSum, Vector

SegmentSums = Mapping[tuple[str, int], Vector]  # of a layanan, by questionnaire and segment


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """The pool and the summary of every window, in the calendar's order."""

    pools: tuple[Pool, ...]
    summaries: tuple[Summary, ...]


@dataclass(frozen=True, slots=True)
class OpdWindows:
    """What is said of an OPD under every window."""

    layanan: Mapping[str, WindowFigures]
    whole: WindowFigures  # all layanan together
    indices: tuple[Fraction | None, ...]  # of the whole, exact, for every window


@dataclass(frozen=True, slots=True)
class OpdFigures:
    """One OPD at one version of its tallies and of the registry, on one local day."""

    state: OpdState
    registry_version: int
    today: date
    segment_sums: Mapping[str, SegmentSums]  # by layanan: what the figures were computed from
    windows: OpdWindows
    months: LiveMonths = NO_MONTHS

    def is_of(self, registry: Registry, calendar: Calendar) -> bool:
        """Tell whether they were computed under this registry and on this day."""
        return self.registry_version == registry.version and self.today == calendar.today

    def settled_sums(self, calendar: Calendar) -> dict[str, SegmentSums]:
        """Return the sums of the days that change only together with the state's past_version."""
        return {
            layanan: {
                (questionnaire, segment): vector
                for (questionnaire, segment), vector in sums.items()
                if calendar.is_settled(segment)
            }
            for layanan, sums in self.segment_sums.items()
        }


def compute(
    state: OpdState,
    segment_sums: Mapping[str, SegmentSums],
    registry: Registry,
    calendar: Calendar,
    before: OpdFigures | None,
) -> OpdFigures:
    """Compute the figures of an OPD from the sums of all its segments, by layanan.

    `before` are those of the same OPD under the same registry and day, if there are any.
    """
    opd = registry.opd.get(state.opd) or Opd(state.opd, state.opd)
    layanan_figures = {}
    for layanan in sorted(segment_sums.keys() | opd.layanan.keys()):
        sums = segment_sums.get(layanan, {})
        figures = _unchanged(before, layanan, sums)
        if figures is None:
            figures = of_layanan(opd, layanan, _pools_of_segments(sums, calendar), registry)
        layanan_figures[layanan] = figures
    pools = [figures.pools for figures in layanan_figures.values()]
    whole = of_whole(opd, pools or [_nobody(calendar.windows)], registry, calendar.today)
    windows = OpdWindows(layanan_figures, whole, exact_indices(whole, registry))
    return OpdFigures(state, registry.version, calendar.today, segment_sums, windows)


def of_layanan(
    opd: Opd, layanan: str, pools: tuple[Pool, ...], registry: Registry
) -> WindowFigures:
    """Return the figures of a layanan, given the pool of every window."""
    questionnaire = registry.questionnaire_for(opd.code, layanan, None) or SKM_2017
    users = population.of_layanan(opd, layanan)
    summaries = tuple(summary_of(pooled, users, registry, questionnaire) for pooled in pools)
    return WindowFigures(pools, summaries)


def of_whole(
    opd: Opd, parts: Iterable[Sequence[Pool]], registry: Registry, day: date
) -> WindowFigures:
    """Return the figures of an OPD, given the pools of every window of its parts."""
    pools = tuple(map(pool_together, zip(*parts, strict=True)))
    users = population.of_opd(opd, day)
    return WindowFigures(pools, tuple(summary_of(pooled, users, registry) for pooled in pools))


def exact_indices(figures: WindowFigures, registry: Registry) -> tuple[Fraction | None, ...]:
    """Return the exact index of every window."""
    return tuple(exact_index(pooled, registry) for pooled in figures.pools)


def sums_by_layanan(
    sums: Iterable[SegmentSum | MonthSum], settled: Mapping[str, SegmentSums] | None = None
) -> dict[str, SegmentSums]:
    """Return the sums of one OPD by layanan, adding the settled ones where they were not read."""
    by_layanan = {layanan: dict(settled_sums) for layanan, settled_sums in (settled or {}).items()}
    for segment_sum in sums:
        segments = by_layanan.setdefault(segment_sum.layanan, {})
        key = segment_sum.questionnaire, segment_sum.segment
        so_far, vector = segments.get(key), segment_sum.vector
        segments[key] = vector if so_far is None else tuple(map(add, so_far, vector))
    return dict(by_layanan)


def _unchanged(before: OpdFigures | None, layanan: str, sums: SegmentSums) -> WindowFigures | None:
    if before is None or before.segment_sums.get(layanan, {}) != sums:
        return None
    return before.windows.layanan.get(layanan)


def _pools_of_segments(sums: SegmentSums, calendar: Calendar) -> tuple[Pool, ...]:
    return tuple(
        _pool_of_segments(sums, calendar.segments.of_window(window)) for window in calendar.windows
    )


def _pool_of_segments(sums: SegmentSums, segments: range) -> Pool:
    return pool(
        (questionnaire, vector)
        for (questionnaire, segment), vector in sums.items()
        if segment in segments
    )


def _nobody(windows: Sequence[Window]) -> list[Pool]:
    return [{} for _ in windows]

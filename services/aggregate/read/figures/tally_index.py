"""The internal index from sums of day tallies: over any days, where no row is kept ready.

Its cost grows with days and services, not with responses.
"""

from collections.abc import Sequence

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.index_bodies import Standing
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import INTERNAL
from services.aggregate.rolling import population
from services.aggregate.rolling.pools import Pool, exact_index, pools_by, summary_of
from services.aggregate.rolling.rolling_rows import WindowSummary
from services.aggregate.rolling.rollup import instansi_figures
from shared.domain.questionnaire import SKM_2017
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd
from shared.storage.rolling import ALL_LAYANAN, INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope


def opd_index(source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window) -> OpdIndex:
    """Return the index of one OPD, or of one of its layanan."""
    registry = source.registry
    layanan_code = layanan.code if layanan is not None else None
    scope = Scope(window.first, window.last, layanan_code)
    pooled = _pools(source, [opd.code], scope).get(opd.code, {})
    if layanan is None:
        summary = summary_of(pooled, population.of_opd(opd, source.last_day(window)), registry)
    else:
        own_questionnaire = registry.questionnaire_for(opd.code, layanan.code, None) or SKM_2017
        summary = summary_of(pooled, layanan.users_per_year, registry, own_questionnaire)
    changed_at = source.snapshot.changed_at(opd.code, layanan_code or ALL_LAYANAN)
    return index_bodies.opd_index(
        registry,
        opd,
        layanan,
        WindowSummary(window, summary),
        Standing(INTERNAL, changed_at=changed_at),
    )


def index(source: FigureSource, window: Window) -> Index:
    """Return the index of the instansi and of all its OPDs."""
    registry, last_day = source.registry, source.last_day(window)
    pools = _pools(source, list(registry.opd), Scope(window.first, window.last))
    lines = []
    for opd in registry.opd.values():
        summary = summary_of(pools.get(opd.code, {}), population.of_opd(opd, last_day), registry)
        window_summary = WindowSummary(window, summary)
        if index_bodies.is_listed(opd, window, window_summary):
            changed_at = source.snapshot.changed_at(opd.code, ALL_LAYANAN)
            standing = Standing(INTERNAL, changed_at=changed_at)
            lines.append(index_bodies.opd_line(registry, opd, window_summary, standing))
    indices = [exact_index(pooled, registry) for pooled in pools.values()]
    whole = WindowSummary(window, *instansi_figures(pools.values(), indices, registry, last_day))
    changed_at = source.snapshot.changed_at(INSTANSI, ALL_LAYANAN)
    return Index(
        index_bodies.period(window),
        INTERNAL,
        index_bodies.instansi_index(registry, whole, Standing(INTERNAL, changed_at=changed_at)),
        lines,
    )


def _pools(source: FigureSource, opds: Sequence[str], scope: Scope) -> dict[str, Pool]:
    """Return the tallies of each OPD under a scope, summed by questionnaire."""
    with source.reading() as connection:
        sums = tally_sums.by_segment(connection, opds, source.registry.unsur_max, scope=scope)
    return pools_by(sums, lambda segment_sum: segment_sum.opd)

"""The internal index from sums of day tallies: over any days, where no row is kept ready.

Its cost grows with days and services, not with responses.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.index_bodies import Standing
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import INTERNAL
from services.aggregate.rolling import population
from services.aggregate.rolling.pools import Pool, exact_index, pool, pools_by, summary_of
from services.aggregate.rolling.rolling_rows import WindowSummary
from services.aggregate.rolling.rollup import instansi_figures
from shared.domain.questionnaire import SKM_2017
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd
from shared.registry.tickets import TICKET_KIND
from shared.storage.rolling import ALL_LAYANAN, INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope


def opd_index(source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window) -> OpdIndex:
    """Return the index of one OPD, or of one of its layanan."""
    scope = Scope(window.first, window.last, None if layanan is None else layanan.code)
    pooled = _pools(source, [opd.code], scope).get(opd.code, {})
    return _index_of_pool(source, opd, layanan, window, pooled)


def verified_opd_index(
    source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window
) -> OpdIndex:
    """Return the same of the responses that came with a ticket: those of its channels."""
    scope = Scope(window.first, window.last, None if layanan is None else layanan.code)
    channels = source.registry.channels.values()
    ticketed = {channel.name for channel in channels if channel.kind == TICKET_KIND}
    size = source.registry.unsur_max
    with source.reading() as connection:
        sums = tally_sums.by_value(connection, [opd.code], "channel", size, scope)
    pooled = pool(
        (value_sum.questionnaire, value_sum.vector)
        for value_sum in sums
        if value_sum.value in ticketed
    )
    return replace(_index_of_pool(source, opd, layanan, window, pooled), verified=True)


def _index_of_pool(
    source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window, pooled: Pool
) -> OpdIndex:
    registry = source.registry
    layanan_code = layanan.code if layanan is not None else None
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

"""The index from sums of day tallies: over any days, where no row is kept ready.

Its cost grows with days and services, not with responses.
"""

from collections.abc import Sequence
from datetime import date

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.rolling.opd_figures import (
    Pool,
    parts,
    pool,
    scheme_of,
    summary_of,
    users_of,
)
from services.aggregate.rolling.rolling_rows import Content
from services.aggregate.rolling.rollup import instansi
from services.aggregate.rolling.summary import exact_index
from shared.domain.questionnaire import SKM_2017
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd
from shared.storage.rolling import INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope, Vector


def opd_index(source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window) -> OpdIndex:
    """Return the index of one OPD, or of one of its layanan."""
    registry = source.registry
    layanan_code = layanan.code if layanan is not None else None
    scope = Scope(window.first, window.last, layanan_code)
    pooled = _pools(source, [opd.code], scope).get(opd.code, {})
    if layanan is None:
        summary = summary_of(pooled, users_of(opd, _last_day(source, window)), registry)
    else:
        own_questionnaire = registry.questionnaire_for(opd.code, layanan.code, None) or SKM_2017
        summary = summary_of(pooled, layanan.users_per_year, registry, own_questionnaire)
    changed_at = source.snapshot.changed_at(opd.code, layanan_code or "")
    return index_bodies.opd_index(registry, opd, layanan, Content(window, summary), changed_at)


def index(source: FigureSource, window: Window) -> Index:
    """Return the index of the instansi and of all its OPDs."""
    registry, last_day = source.registry, _last_day(source, window)
    pools = _pools(source, list(registry.opd), Scope(window.first, window.last))
    lines = []
    for opd in registry.opd.values():
        summary = summary_of(pools.get(opd.code, {}), users_of(opd, last_day), registry)
        content = Content(window, summary)
        if index_bodies.is_listed(opd, window, content):
            changed_at = source.snapshot.changed_at(opd.code, "")
            lines.append(index_bodies.opd_line(registry, opd, content, changed_at))
    indices = [
        exact_index(parts(pooled, registry), scheme_of(registry)) for pooled in pools.values()
    ]
    whole = Content(window, *instansi(list(pools.values()), indices, registry, last_day))
    changed_at = source.snapshot.changed_at(INSTANSI, "")
    return Index(
        index_bodies.period(window),
        index_bodies.instansi_index(registry, whole, changed_at),
        lines,
    )


def _pools(source: FigureSource, opds: Sequence[str], scope: Scope) -> dict[str, Pool]:
    """Return the tallies of each OPD under a scope, summed by questionnaire."""
    with source.reading() as connection:
        sums = tally_sums.by_segment(connection, opds, source.unsur_max, scope=scope)
    vectors: dict[str, list[tuple[str, Vector]]] = {}
    for tally_sum in sums:
        vectors.setdefault(tally_sum.opd, []).append((tally_sum.questionnaire, tally_sum.vector))
    return {opd: pool(vectors_of_opd) for opd, vectors_of_opd in vectors.items()}


def _last_day(source: FigureSource, window: Window) -> date:
    """Return the last day of a window that is not in the future: users are counted as of it."""
    return source.today if window.last is None else min(window.last, source.today)

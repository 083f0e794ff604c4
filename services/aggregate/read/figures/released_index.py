"""The public index: from the released rows in memory, or from released tallies.

Rows are kept of the windows that most people ask for; any other one of whole months is summed.
"""

from collections.abc import Iterable, Sequence

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.index_bodies import Standing
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import PUBLIC
from services.aggregate.rolling import population
from services.aggregate.rolling.pools import exact_index, pool, summary_of
from services.aggregate.rolling.rolling_rows import WindowSummary, window_summary
from services.aggregate.rolling.rollup import instansi_figures
from shared.domain.questionnaire import SKM_2017
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd
from shared.storage.released import sums as released_sums
from shared.storage.released.rows import ReleasedRow
from shared.storage.released.sums import ReleasedSum
from shared.storage.rolling import ALL_LAYANAN, INSTANSI


def prepared_opd_index(
    source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window
) -> OpdIndex | None:
    """Return the index of one OPD or layanan from its row; None when the window has none."""
    layanan_code = ALL_LAYANAN if layanan is None else layanan.code
    row = source.snapshot.public.row(opd.code, layanan_code, window)
    if row is None:
        return None
    return index_bodies.opd_index(
        source.registry, opd, layanan, window_summary(row), _standing_of_row(row)
    )


def prepared_index(source: FigureSource, window: Window) -> Index | None:
    """Return the index of all from the rows; None unless each has one of the window."""
    registry, rows = source.registry, source.snapshot.public
    row_of_instansi = rows.row(INSTANSI, ALL_LAYANAN, window)
    if row_of_instansi is None:
        return None
    lines = []
    for opd in registry.opd.values():
        row = rows.row(opd.code, ALL_LAYANAN, window)
        if row is None:
            return None
        summary = window_summary(row)
        if index_bodies.is_listed(opd, window, summary):
            lines.append(index_bodies.opd_line(registry, opd, summary, _standing_of_row(row)))
    whole = index_bodies.instansi_index(
        registry, window_summary(row_of_instansi), _standing_of_row(row_of_instansi)
    )
    return Index(index_bodies.period(window), PUBLIC, whole, lines)


def summed_opd_index(
    source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window
) -> OpdIndex:
    """Return the index of one OPD or layanan from its released tallies."""
    registry = source.registry
    sums, lacking = _released(source, [opd.code], window)
    if layanan is None:
        users = population.of_opd(opd, source.last_day(window))
        standing = _standing(sums, is_lacking=(opd.code, ALL_LAYANAN) in lacking)
        summary = summary_of(_pooled(sums), users, registry)
    else:
        sums = [released for released in sums if released.layanan == layanan.code]
        standing = _standing(sums, is_lacking=(opd.code, layanan.code) in lacking)
        own_questionnaire = registry.questionnaire_for(opd.code, layanan.code, None) or SKM_2017
        summary = summary_of(_pooled(sums), layanan.users_per_year, registry, own_questionnaire)
    return index_bodies.opd_index(registry, opd, layanan, WindowSummary(window, summary), standing)


def summed_index(source: FigureSource, window: Window) -> Index:
    """Return the index of the instansi and of all its OPDs from their released tallies."""
    registry, last_day = source.registry, source.last_day(window)
    sums, lacking = _released(source, list(registry.opd), window)
    pools, lines = [], []
    for opd in registry.opd.values():
        sums_of_opd = [released for released in sums if released.opd == opd.code]
        pooled = _pooled(sums_of_opd)
        summary = summary_of(pooled, population.of_opd(opd, last_day), registry)
        window_summary_of_opd = WindowSummary(window, summary)
        pools.append(pooled)
        if index_bodies.is_listed(opd, window, window_summary_of_opd):
            standing = _standing(sums_of_opd, is_lacking=(opd.code, ALL_LAYANAN) in lacking)
            lines.append(index_bodies.opd_line(registry, opd, window_summary_of_opd, standing))
    indices = [exact_index(pooled, registry) for pooled in pools]
    whole = WindowSummary(window, *instansi_figures(pools, indices, registry, last_day))
    is_lacking = any(layanan == ALL_LAYANAN for _, layanan in lacking)
    return Index(
        index_bodies.period(window),
        PUBLIC,
        index_bodies.instansi_index(registry, whole, _standing(sums, is_lacking=is_lacking)),
        lines,
    )


def _released(
    source: FigureSource, opds: Sequence[str], window: Window
) -> tuple[list[ReleasedSum], set[tuple[str, str]]]:
    """Return the released sums of a window, and which figures lack responses of closed months."""
    with source.reading() as connection:
        sums = released_sums.sums(connection, opds, source.registry.unsur_max, window)
        return sums, released_sums.left_out(connection, opds, window)


def _pooled(sums: Iterable[ReleasedSum]) -> dict[str, tuple[int, ...]]:
    return dict(pool((released.questionnaire, released.vector) for released in sums))


def _standing(sums: Iterable[ReleasedSum], *, is_lacking: bool) -> Standing:
    released_at = max((released.released_at for released in sums), default=None)
    return Standing(PUBLIC, released_at=released_at, withheld=is_lacking)


def _standing_of_row(row: ReleasedRow) -> Standing:
    return Standing(PUBLIC, released_at=row.released_at, withheld=row.withheld)

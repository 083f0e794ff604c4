"""The internal index from the rolling rows in memory: for the windows kept ready, no query."""

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.index_bodies import Standing
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import INTERNAL
from services.aggregate.rolling.rolling_rows import window_summary
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, RollingRow


def opd_index(
    source: FigureSource, opd: Opd, layanan: Layanan | None, window: Window
) -> OpdIndex | None:
    """Return the index of one OPD or layanan; None when no row is rolled to this window."""
    layanan_code = ALL_LAYANAN if layanan is None else layanan.code
    row = source.snapshot.rolling.row(opd.code, layanan_code, window)
    if row is None:
        return None
    return index_bodies.opd_index(
        source.registry, opd, layanan, window_summary(row), _standing(row)
    )


def index(source: FigureSource, window: Window) -> Index | None:
    """Return the index of all; None unless every row is rolled to this window."""
    registry, rows = source.registry, source.snapshot.rolling
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
            lines.append(index_bodies.opd_line(registry, opd, summary, _standing(row)))
    whole = index_bodies.instansi_index(
        registry, window_summary(row_of_instansi), _standing(row_of_instansi)
    )
    return Index(index_bodies.period(window), INTERNAL, whole, lines)


def _standing(row: RollingRow) -> Standing:
    return Standing(INTERNAL, changed_at=row.computed_at)

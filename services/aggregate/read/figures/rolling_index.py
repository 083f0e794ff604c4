"""The index from the rolling rows in memory: for the windows kept ready, without any query."""

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.snapshot import Snapshot
from services.aggregate.rolling.rolling_rows import window_summary
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd
from shared.storage.rolling import ALL_LAYANAN, INSTANSI


def opd_index(
    snapshot: Snapshot, opd: Opd, layanan: Layanan | None, window: Window
) -> OpdIndex | None:
    """Return the index of one OPD or layanan; None when no row is rolled to this window."""
    layanan_code = ALL_LAYANAN if layanan is None else layanan.code
    row = snapshot.row(opd.code, layanan_code, window)
    if row is None:
        return None
    return index_bodies.opd_index(
        snapshot.registry, opd, layanan, window_summary(row), row.computed_at
    )


def index(snapshot: Snapshot, window: Window) -> Index | None:
    """Return the index of all; None unless every row is rolled to this window."""
    registry = snapshot.registry
    row_of_instansi = snapshot.row(INSTANSI, ALL_LAYANAN, window)
    if row_of_instansi is None:
        return None
    lines = []
    for opd in registry.opd.values():
        row = snapshot.row(opd.code, ALL_LAYANAN, window)
        if row is None:
            return None
        summary = window_summary(row)
        if index_bodies.is_listed(opd, window, summary):
            lines.append(index_bodies.opd_line(registry, opd, summary, row.computed_at))
    return Index(
        index_bodies.period(window),
        index_bodies.instansi_index(
            registry, window_summary(row_of_instansi), row_of_instansi.computed_at
        ),
        lines,
    )

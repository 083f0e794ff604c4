"""The public breakdown by layanan: what was released of each, and of the small ones' pools."""

from services.aggregate.read.bodies import Breakdown, BreakdownCell
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import PUBLIC
from services.aggregate.rolling.pools import headline_of, pool
from shared.domain.window import Window
from shared.registry.snapshot import Opd
from shared.storage.released import sums as released_sums
from shared.storage.rolling import ALL_LAYANAN

_POOL = ""  # the layanan of what was pooled
_POOL_LABEL = "Gabungan layanan kecil"


def by_layanan(source: FigureSource, opd: Opd, window: Window) -> Breakdown:
    """Return a cell for every layanan, and one (null) for the pools: they add up to the OPD.

    A layanan of which nothing was released is withheld, whether somebody answered or nobody did.
    """
    registry = source.registry
    with source.reading() as connection:
        sums = released_sums.sums(connection, [opd.code], registry.unsur_max, window)
        lacking = released_sums.left_out(connection, [opd.code], window)
    codes = [*opd.layanan, *sorted({released.layanan for released in sums} - {*opd.layanan, _POOL})]
    if any(released.layanan == _POOL for released in sums):
        codes.append(_POOL)
    labels = {code: layanan.name for code, layanan in opd.layanan.items()} | {_POOL: _POOL_LABEL}
    cells = []
    for code in codes:
        pooled = pool(
            (released.questionnaire, released.vector)
            for released in sums
            if released.layanan == code
        )
        label = labels.get(code, code)
        if pooled:
            headline = headline_of(pooled, registry)
            cells.append(BreakdownCell(code or None, label, *headline, withheld=False))
        else:
            cells.append(BreakdownCell(code, label, None, None, None, withheld=True))
    released_at = max((released.released_at for released in sums), default=None)
    return Breakdown(
        opd=opd.code,
        name=opd.name,
        by="layanan",
        window=index_bodies.period(window),
        scheme=registry.instansi.scheme,
        view=PUBLIC,
        released_at=index_bodies.released_time(registry, released_at),
        withheld=not sums or (opd.code, ALL_LAYANAN) in lacking,
        cells=cells,
    )

"""The index by the respondents' profile, by layanan or by channel; small cells are withheld."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import sub

from services.aggregate.read.bodies import Breakdown, BreakdownCell
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.disclosure import withheld
from services.aggregate.read.figures.tally_index import Tallies
from services.aggregate.read.parameters import Facet
from services.aggregate.rolling.opd_figures import Pool, parts, pool, scheme_of
from services.aggregate.rolling.summary import index_only
from shared.domain.respondent import LABELS
from shared.domain.window import Window
from shared.registry.snapshot import Opd, Registry
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Cell, Scope, Vector

Figures = tuple[int, Decimal | None, str | None]
NOT_STATED, NOT_STATED_LABEL = "", "Tidak diisi"


def breakdown(tallies: Tallies, opd: Opd, by: Facet, window: Window) -> Breakdown:
    """Return a cell for every value that somebody gave, and one (null) for those who gave none."""
    scope, registry = Scope(window.first, window.last), tallies.registry
    with tallies.reading() as connection:
        total = _by_value(tally_sums.by_value(connection, opd.code, "all", tallies.size, scope))
        pools = _by_value(tally_sums.by_value(connection, opd.code, by, tallies.size, scope))
    pools[NOT_STATED] = _rest(total.get("", {}), pools.values())
    figures = {
        value: index_only(parts(pooled, registry), scheme_of(registry))
        for value, pooled in pools.items()
    }
    hidden = withheld({value: respondents for value, (respondents, *_) in figures.items()})
    labels = _labels(by, opd, registry)
    return Breakdown(
        opd=opd.code,
        name=opd.name,
        by=by,
        window=index_bodies.period(window),
        scheme=registry.instansi.scheme,
        cells=[
            _cell(value, labels.get(value, value), None if value in hidden else figures[value])
            for value in _in_order(figures, labels)
            if figures[value][0] > 0
        ],
    )


def _by_value(cells: Iterable[Cell]) -> dict[str, Pool]:
    vectors: dict[str, list[tuple[str, Vector]]] = {}
    for cell in cells:
        vectors.setdefault(cell.value, []).append((cell.questionnaire, cell.vector))
    return {value: pool(of_value) for value, of_value in vectors.items()}


def _rest(total: Pool, pools: Iterable[Pool]) -> Pool:
    """Those of the total who are in none of the pools."""
    stated = pool(item for pooled in pools for item in pooled.items())
    return {
        code: tuple(map(sub, vector, stated[code])) if code in stated else vector
        for code, vector in total.items()
    }


def _labels(by: Facet, opd: Opd, registry: Registry) -> Mapping[str, str]:
    if by == "layanan":
        own = {code: layanan.name for code, layanan in opd.layanan.items()}
    elif by == "channel":
        own = {name: name for name in registry.channels}
    else:
        own = dict(LABELS[by])
    return {**own, NOT_STATED: NOT_STATED_LABEL}


def _in_order(values: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    """In the order of the code list; then what it does not have, then those who gave none."""
    places = {value: place for place, value in enumerate(labels)}
    return sorted(
        values, key=lambda value: (value == NOT_STATED, places.get(value, len(places)), value)
    )


def _cell(value: str, label: str, figures: Figures | None) -> BreakdownCell:
    respondents, ikm, mutu = figures or (None, None, None)
    return BreakdownCell(value or None, label, respondents, ikm, mutu, withheld=figures is None)

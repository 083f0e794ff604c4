"""The index by the respondents' profile, by layanan or by channel; small cells are withheld."""

from collections.abc import Iterable, Mapping
from operator import sub

from services.aggregate.read.bodies import Breakdown, BreakdownCell
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.figures.disclosure import withheld
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.parameters import Facet
from services.aggregate.read.view import INTERNAL
from services.aggregate.rolling.pools import Pool, headline_of, pool, pool_together, pools_by
from services.aggregate.rolling.summary import Headline
from shared.domain.respondent import LABELS
from shared.domain.window import Window
from shared.registry.snapshot import Opd, Registry
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope

NOT_STATED, NOT_STATED_LABEL = "", "Tidak diisi"


def breakdown(source: FigureSource, opd: Opd, facet: Facet, window: Window) -> Breakdown:
    """Return a cell for every value that somebody gave, and one (null) for those who gave none."""
    registry = source.registry
    pools = _pools_by_value(source, opd, facet, Scope(window.first, window.last))
    headlines = {value: headline_of(pooled, registry) for value, pooled in pools.items()}
    hidden = withheld({value: headline.respondents for value, headline in headlines.items()})
    labels = _labels(facet, opd, registry)
    return Breakdown(
        opd=opd.code,
        name=opd.name,
        by=facet,
        window=index_bodies.period(window),
        scheme=registry.instansi.scheme,
        view=INTERNAL,
        released_at=None,
        withheld=bool(hidden),
        cells=[
            _cell(value, labels.get(value, value), None if value in hidden else headlines[value])
            for value in _in_order(headlines, labels)
            if headlines[value].respondents > 0
        ],
    )


def _pools_by_value(source: FigureSource, opd: Opd, facet: Facet, scope: Scope) -> dict[str, Pool]:
    """Return the respondents of each value of a facet, those who gave none under NOT_STATED."""
    unsur_max = source.registry.unsur_max
    with source.reading() as connection:
        everybody = tally_sums.by_value(connection, opd.code, "all", unsur_max, scope)
        stated = tally_sums.by_value(connection, opd.code, facet, unsur_max, scope)
    pools = pools_by(stated, lambda value_sum: value_sum.value)
    total = pool((value_sum.questionnaire, value_sum.vector) for value_sum in everybody)
    pools[NOT_STATED] = _rest(total, pools.values())
    return pools


def _rest(total: Pool, pools: Iterable[Pool]) -> Pool:
    """Return those of the total who are in none of the pools."""
    stated = pool_together(pools)
    return {
        code: tuple(map(sub, vector, stated[code])) if code in stated else vector
        for code, vector in total.items()
    }


def _labels(facet: Facet, opd: Opd, registry: Registry) -> Mapping[str, str]:
    if facet == "layanan":
        labels = {code: layanan.name for code, layanan in opd.layanan.items()}
    elif facet == "channel":
        labels = {name: name for name in registry.channels}
    else:
        labels = dict(LABELS[facet])
    return {**labels, NOT_STATED: NOT_STATED_LABEL}


def _in_order(values: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    """Sort values as the code list does; then what it lacks, then those who gave none."""
    positions = {value: position for position, value in enumerate(labels)}
    return sorted(
        values, key=lambda value: (value == NOT_STATED, positions.get(value, len(positions)), value)
    )


def _cell(value: str, label: str, headline: Headline | None) -> BreakdownCell:
    respondents, ikm, mutu = headline or (None, None, None)
    return BreakdownCell(value or None, label, respondents, ikm, mutu, withheld=headline is None)

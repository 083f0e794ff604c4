"""The bodies of breakdowns: cells in the order of the code lists, with their labels."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from services.aggregate.read.bodies import Breakdown, BreakdownCell
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.view import View
from services.aggregate.rolling.pools import Pool, headline_of
from services.aggregate.rolling.summary import Headline
from shared.domain.respondent import LABELS
from shared.domain.window import Window
from shared.registry.snapshot import Opd, Registry

NOT_STATED, NOT_STATED_LABEL = "", "Tidak diisi"


class Question(NamedTuple):
    """What is broken down by what: an OPD, or the instansi (None)."""

    opd: Opd | None
    facet: str
    window: Window


class BreakdownStanding(NamedTuple):
    """What a breakdown says of itself."""

    view: View
    released_at: datetime | None = None
    withheld: bool = False


def breakdown(
    registry: Registry,
    question: Question,
    pools: Mapping[str, Pool],
    hidden: Collection[str],
    standing: BreakdownStanding,
) -> Breakdown:
    """Return the body: a cell for every value that somebody gave, one (null) for who gave none."""
    opd, facet, window = question
    labels = _labels(facet, opd, registry)
    headlines = {value: headline_of(pooled, registry) for value, pooled in pools.items()}
    return Breakdown(
        opd=opd.code if opd is not None else None,
        name=(opd or registry.instansi).name,
        by=facet,
        window=index_bodies.period(window),
        scheme=registry.instansi.scheme,
        view=standing.view,
        released_at=index_bodies.released_time(registry, standing.released_at),
        withheld=standing.withheld or bool(hidden),
        cells=[
            _cell(value, labels, None if value in hidden else headlines[value])
            for value in _in_order(headlines, labels)
            if headlines[value].respondents > 0
        ],
    )


def _cell(value: str, labels: Mapping[str, str], headline: Headline | None) -> BreakdownCell:
    respondents, ikm, mutu = headline or (None, None, None)
    label = labels.get(value, value)
    return BreakdownCell(value or None, label, respondents, ikm, mutu, withheld=headline is None)


def _labels(facet: str, opd: Opd | None, registry: Registry) -> Mapping[str, str]:
    if facet == "layanan":
        of_opd = opd.layanan if opd is not None else {}
        labels = {code: layanan.name for code, layanan in of_opd.items()}
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

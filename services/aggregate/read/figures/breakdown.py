"""The live breakdown by the respondents' profile, by layanan or by channel: every cell is shown."""

from collections.abc import Iterable
from operator import sub

from services.aggregate.read.bodies import Breakdown
from services.aggregate.read.figures import breakdown_bodies
from services.aggregate.read.figures.breakdown_bodies import NOT_STATED, BreakdownStanding, Question
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import INTERNAL
from services.aggregate.rolling.pools import Pool, pool, pool_together, pools_by
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope


def breakdown(source: FigureSource, question: Question) -> Breakdown:
    """Return the breakdown of an OPD or the instansi, from one respondent upwards."""
    registry, window = source.registry, question.window
    opds = list(registry.opd) if question.opd is None else [question.opd.code]
    scope = Scope(window.first, window.last)
    with source.reading() as connection:
        everybody = tally_sums.by_value(connection, opds, "all", registry.unsur_max, scope)
        stated = tally_sums.by_value(connection, opds, question.facet, registry.unsur_max, scope)
    pools = pools_by(stated, lambda value_sum: value_sum.value)
    total = pool((value_sum.questionnaire, value_sum.vector) for value_sum in everybody)
    pools[NOT_STATED] = _rest(total, pools.values())
    return breakdown_bodies.breakdown(registry, question, pools, (), BreakdownStanding(INTERNAL))


def _rest(total: Pool, pools: Iterable[Pool]) -> Pool:
    """Return those of the total who are in none of the pools."""
    stated = pool_together(pools)
    return {
        code: tuple(map(sub, vector, stated[code])) if code in stated else vector
        for code, vector in total.items()
    }

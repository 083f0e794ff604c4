"""Pools: sums of day tallies added up over days, layanan or OPDs, each questionnaire by itself.

What different questionnaires add up to is merged only for its figures, which are given here as
they are published: under the weight scheme of the instansi.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from operator import add
from typing import TypeVar

from services.aggregate.rolling.merging import QuestionnaireTally, merge
from services.aggregate.rolling.summary import Headline, Summary, headline, summarise
from shared.domain.ikm import SCHEMES, WeightScheme, ikm
from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.tally import Tally
from shared.registry.snapshot import Registry
from shared.storage.tallies.tally_sums import SegmentSum, ValueSum, Vector, as_tally

Pool = Mapping[str, Vector]  # by questionnaire

TallySum = TypeVar("TallySum", SegmentSum, ValueSum)
Group = TypeVar("Group", bound=Hashable)


def pool(sums: Iterable[tuple[str, Vector]]) -> Pool:
    """Return the pool of sums, each given with its questionnaire."""
    total: dict[str, Vector] = {}
    for questionnaire, vector in sums:
        so_far = total.get(questionnaire)
        total[questionnaire] = vector if so_far is None else tuple(map(add, so_far, vector))
    return total


def pools_by(sums: Iterable[TallySum], key: Callable[[TallySum], Group]) -> dict[Group, Pool]:
    """Return the pool of each group of sums; the key of a sum says which group it belongs to."""
    groups: dict[Group, list[tuple[str, Vector]]] = {}
    for tally_sum in sums:
        group = groups.setdefault(key(tally_sum), [])
        group.append((tally_sum.questionnaire, tally_sum.vector))
    return {name: pool(group) for name, group in groups.items()}


def pool_together(pools: Iterable[Pool]) -> Pool:
    """Return the pool of everybody in these pools."""
    return pool(item for single in pools for item in single.items())


def summary_of(
    pooled: Pool, population: int | None, registry: Registry, empty: Questionnaire = SKM_2017
) -> Summary:
    """Return the published summary; of nobody, under questionnaire `empty`, for an empty pool."""
    questionnaire, tally = _merged(pooled, registry, empty)
    return summarise(questionnaire, tally, population, published_scheme(registry))


def headline_of(pooled: Pool, registry: Registry) -> Headline:
    """Return the published respondents, index and letter alone."""
    if not pooled:
        return Headline(0, None, None)
    return headline(*_merged(pooled, registry), published_scheme(registry))


def exact_index(pooled: Pool, registry: Registry) -> Fraction | None:
    """Return the published index, unrounded: what a mean of indices is made of."""
    questionnaire, tally = _merged(pooled, registry)
    return ikm(tally, questionnaire, published_scheme(registry))


def published_scheme(registry: Registry) -> WeightScheme:
    """Return the weight scheme of the published figures."""
    return SCHEMES[registry.instansi.scheme]


def _merged(
    pooled: Pool, registry: Registry, empty: Questionnaire = SKM_2017
) -> QuestionnaireTally:
    if not pooled:
        return empty, Tally.zero(empty.size)
    questionnaires = [(registry.questionnaires[code], pooled[code]) for code in sorted(pooled)]
    return merge(
        [
            (questionnaire, as_tally(vector, questionnaire.size))
            for questionnaire, vector in questionnaires
        ]
    )

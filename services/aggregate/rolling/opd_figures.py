"""What an OPD's tallies say under every rolling window: worked out from sums of segments, reused where nothing changed.

All values are immutable: a refresh that fails leaves what was known before as it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from operator import add

from services.aggregate.rolling.segments import Calendar
from services.aggregate.rolling.summary import (
    Part,
    Summary,
    exact_index,
    merge,
    population_of,
    summarise,
)
from shared.domain.ikm import SCHEMES, WeightScheme
from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.tally import Tally
from shared.registry.snapshot import Opd, Registry
from shared.storage.rolling import INSTANSI, OpdState
from shared.storage.tallies.tally_sums import SegmentSum, Vector, as_tally

Cuts = Mapping[tuple[str, int], Vector]  # of one layanan, by questionnaire and segment of days
Pool = Mapping[str, Vector]  # of one window, by questionnaire
WHOLE = INSTANSI  # stands for all layanan together, as in the table


@dataclass(frozen=True, slots=True)
class Group:
    """One layanan, or an OPD as a whole: its pool and its summary for every window, in the calendar's order."""

    cuts: Cuts  # from which it was worked out; of a whole: nothing
    pools: tuple[Pool, ...]
    summaries: tuple[Summary, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One OPD at one version of its tallies and of the registry, on one local day."""

    state: OpdState
    registry_version: int
    today: date
    services: Mapping[str, Group]
    whole: Group
    indices: tuple[Fraction | None, ...]  # of the whole, exact, for every window

    def is_of(self, registry: Registry, calendar: Calendar) -> bool:
        """Whether it was worked out under this registry and on this day."""
        return self.registry_version == registry.version and self.today == calendar.today

    def settled(self, calendar: Calendar) -> dict[str, dict[tuple[str, int], Vector]]:
        """By layanan the sums of the days that can only change together with the past_version."""
        return {
            layanan: {
                key: vector for key, vector in group.cuts.items() if calendar.is_settled(key[1])
            }
            for layanan, group in self.services.items()
        }


def learn(
    state: OpdState,
    cuts: Mapping[str, Cuts],
    registry: Registry,
    calendar: Calendar,
    before: Known | None,
) -> Known:
    """Work out an OPD from the sums of all its segments. `before`: the same OPD under the same registry and day."""
    opd = registry.opd.get(state.opd) or Opd(state.opd, state.opd)
    old = before.services if before is not None else {}
    services = {
        layanan: old[layanan]
        if layanan in old and old[layanan].cuts == cuts.get(layanan, {})
        else _service(opd, layanan, cuts.get(layanan, {}), registry, calendar)
        for layanan in sorted(cuts.keys() | opd.layanan.keys())
    }
    whole = _whole(opd, services.values(), registry, calendar)
    scheme = scheme_of(registry)
    indices = tuple(exact_index(parts(pooled, registry), scheme) for pooled in whole.pools)
    return Known(state, registry.version, calendar.today, services, whole, indices)


def by_layanan(
    sums: Iterable[SegmentSum], settled: Mapping[str, Cuts] | None = None
) -> dict[str, dict[tuple[str, int], Vector]]:
    """The sums of one OPD by layanan; together with the settled ones, when only the others were read."""
    cuts = {layanan: dict(old) for layanan, old in (settled or {}).items()}
    for one in sums:
        cuts.setdefault(one.layanan, {})[one.questionnaire, one.segment] = one.vector
    return cuts


def pool(vectors: Iterable[tuple[str, Vector]]) -> Pool:
    """Add up, each questionnaire for itself."""
    total: dict[str, Vector] = {}
    for questionnaire, vector in vectors:
        so_far = total.get(questionnaire)
        total[questionnaire] = vector if so_far is None else tuple(map(add, so_far, vector))
    return total


def parts(pooled: Pool, registry: Registry, empty: Questionnaire = SKM_2017) -> list[Part]:
    """A pool as tallies; the tally of nobody, of questionnaire `empty`, when nothing is in it."""
    found = [(registry.questionnaires[code], vector) for code, vector in sorted(pooled.items())]
    return [(one, as_tally(vector, one.size)) for one, vector in found] or [
        (empty, Tally.zero(empty.size))
    ]


def summary_of(
    pooled: Pool, population: int | None, registry: Registry, empty: Questionnaire = SKM_2017
) -> Summary:
    """The summary of a pool under the published scheme."""
    return summarise(*merge(parts(pooled, registry, empty)), population, scheme_of(registry))


def scheme_of(registry: Registry) -> WeightScheme:
    """The weight scheme of the published figures."""
    return SCHEMES[registry.instansi.scheme]


def users_of(opd: Opd, day: date) -> int | None:
    """Users in a year of the services that are open on a day; None when that of one is not known."""
    return population_of(one.users_per_year for one in opd.layanan.values() if one.is_open(day))


def users_of_layanan(opd: Opd, layanan: str) -> int | None:
    """Users in a year of one service; None when not known."""
    return opd.layanan[layanan].users_per_year if layanan in opd.layanan else None


def _service(opd: Opd, layanan: str, cuts: Cuts, registry: Registry, calendar: Calendar) -> Group:
    spans = [calendar.segments.of_window(window) for window in calendar.windows]
    pools = tuple(
        pool((code, vector) for (code, cut), vector in cuts.items() if cut in span)
        for span in spans
    )
    empty = registry.questionnaire_for(opd.code, layanan, None) or SKM_2017
    population = users_of_layanan(opd, layanan)
    return Group(
        cuts, pools, tuple(summary_of(pooled, population, registry, empty) for pooled in pools)
    )


def _whole(opd: Opd, services: Iterable[Group], registry: Registry, calendar: Calendar) -> Group:
    columns = zip(*(group.pools for group in services), strict=True)
    pools = tuple(pool(item for pooled in column for item in pooled.items()) for column in columns)
    pools = pools or tuple({} for _ in calendar.windows)  # an OPD without services
    population = users_of(opd, calendar.today)
    return Group({}, pools, tuple(summary_of(pooled, population, registry) for pooled in pools))

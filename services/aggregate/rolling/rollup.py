"""The instansi's figure from those of its OPDs, both ways in use: all respondents pooled, and the mean of the OPDs.

No rule says which one to publish; both are kept, and the registry names the primary one.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from services.aggregate.rolling.opd_figures import Known, Pool, pool, summary_of, users_of
from services.aggregate.rolling.summary import Summary, population_of, words
from shared.domain.ikm import IKM_PLACES, half_up, mean_of
from shared.registry.snapshot import Registry


class Pooled(msgspec.Struct, frozen=True):
    """The index of all respondents together: every respondent weighs the same."""

    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None


class Mean(msgspec.Struct, frozen=True):
    """The mean of the OPDs' exact indices, rounded once: every OPD with respondents (`opd` of them) weighs the same."""

    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    opd: int


class Rollup(msgspec.Struct, frozen=True):
    """Both roll-ups; `primary` names the one that is shown first."""

    primary: str
    pooled: Pooled
    mean: Mean


def roll_up(pooled: Summary, indices: Iterable[Fraction | None], primary: str) -> Rollup:
    """Return both roll-ups, given the pooled summary and the exact index of each OPD."""
    known = [index for index in indices if index is not None]
    exact = mean_of(known)
    mean = half_up(exact, IKM_PLACES) if exact is not None else None
    return Rollup(
        primary=primary,
        pooled=Pooled(pooled.ikm, pooled.mutu, pooled.kinerja, pooled.ci95),
        mean=Mean(mean, *words(mean), len(known)),
    )


def shown(summary: Summary, rollup: Rollup) -> Summary:
    """Return the pooled summary with the primary roll-up's index; a mean has no confidence interval."""
    if rollup.primary == "pooled":
        return summary
    mean = rollup.mean
    return msgspec.structs.replace(
        summary, ikm=mean.ikm, mutu=mean.mutu, kinerja=mean.kinerja, ci95=None
    )


def instansi(
    pools: Sequence[Pool], indices: Iterable[Fraction | None], registry: Registry, day: date
) -> tuple[Summary, Rollup]:
    """Return the figure of the instansi from the OPDs' pools and exact indices of one window."""
    together = pool(item for pooled in pools for item in pooled.items())
    summary = summary_of(together, users(registry, day), registry)
    rollup = roll_up(summary, indices, registry.instansi.primary)
    return shown(summary, rollup), rollup


def instansi_of_window(
    known: Sequence[Known], at: int, registry: Registry, day: date
) -> tuple[Summary, Rollup]:
    """Return the figure of the instansi for the window at this position of the calendar."""
    return instansi(
        [one.whole.pools[at] for one in known], (one.indices[at] for one in known), registry, day
    )


def users(registry: Registry, day: date) -> int | None:
    """Users in a year of all OPDs that are open on a day and have services; None when that of one is not known."""
    return population_of(
        users_of(opd, day) for opd in registry.opd.values() if opd.layanan and opd.is_open(day)
    )

"""The instansi's figures from those of its OPDs, both ways in use.

All respondents pooled, and the mean of the OPDs: no rule says which one to publish; both are kept,
and the registry names the primary one.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from services.aggregate.rolling import population
from services.aggregate.rolling.pools import Pool, pool_together, summary_of
from services.aggregate.rolling.summary import Summary, letter_and_kinerja
from shared.domain.ikm import mean_of
from shared.domain.mutu import IKM_PLACES
from shared.domain.rounding import half_up
from shared.registry.snapshot import Registry


class Pooled(msgspec.Struct, frozen=True):
    """The index of all respondents together: every respondent weighs the same."""

    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None


class Mean(msgspec.Struct, frozen=True):
    """The mean of the OPDs' exact indices, rounded once.

    Every OPD with respondents (`opd` of them) weighs the same.
    """

    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    opd: int


class Rollup(msgspec.Struct, frozen=True):
    """Both roll-ups; `primary` names the one that is shown first."""

    primary: str
    pooled: Pooled
    mean: Mean


def instansi_figures(
    pools: Iterable[Pool], indices: Iterable[Fraction | None], registry: Registry, day: date
) -> tuple[Summary, Rollup]:
    """Return the figures of the instansi from its OPDs' pools and exact indices of one window.

    The summary is the pooled one, with the index of the primary roll-up.
    """
    users = population.of_instansi(registry, day)
    summary = summary_of(pool_together(pools), users, registry)
    rollup = roll_up(summary, indices, registry.instansi.primary)
    return _with_primary_index(summary, rollup), rollup


def roll_up(pooled: Summary, indices: Iterable[Fraction | None], primary: str) -> Rollup:
    """Return both roll-ups, given the pooled summary and the exact index of each OPD."""
    present = [index for index in indices if index is not None]
    exact_mean = mean_of(present)
    mean = None if exact_mean is None else half_up(exact_mean, IKM_PLACES)
    return Rollup(
        primary=primary,
        pooled=Pooled(pooled.ikm, pooled.mutu, pooled.kinerja, pooled.ci95),
        mean=Mean(mean, *letter_and_kinerja(mean), len(present)),
    )


def _with_primary_index(summary: Summary, rollup: Rollup) -> Summary:
    if rollup.primary == "pooled":
        return summary
    mean = rollup.mean
    return msgspec.structs.replace(
        summary,
        ikm=mean.ikm,
        mutu=mean.mutu,
        kinerja=mean.kinerja,
        ci95=None,  # a mean of OPDs has no confidence interval
    )

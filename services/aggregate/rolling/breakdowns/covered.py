"""Whom the breakdown of a triwulan is about: all that is released within it, and nobody else.

A layanan-month of which nothing is released within the triwulan is left out as a whole. One that is
released in part cannot be told from the rest by its profiles: as long as there is any, there is no
new breakdown.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from operator import add, sub
from typing import NamedTuple

from shared.domain.release import POOL, Bins
from shared.domain.tally import Tally
from shared.domain.window import Window, period
from shared.storage.tallies.tally_sums import FacetSum, Vector, as_tally

FACETS = ("sex", "age", "education", "occupation", "channel")
NOT_STATED = ""

BinName = str  # month/layanan/questionnaire
CellName = tuple[str, str]  # value, questionnaire
Parts = Mapping[str, Mapping[str, int]]  # of a triwulan, here bins: value -> respondents


class Covered(NamedTuple):
    """The respondents of an OPD in a triwulan by one facet, and the bins of which some are pooled.

    What left its bin through a pool is public together with others in that pool.
    """

    parts: Parts
    cells: Mapping[CellName, Vector]
    pooled: Collection[BinName]


def covered(sums: Iterable[FacetSum], bins: Bins, triwulan: Window) -> Mapping[str, Covered] | None:
    """Return whom to break down, by facet; None as long as a layanan-month is released in part."""
    live: dict[str, dict[BinName, dict[str, Vector]]] = {facet: {} for facet in (*FACETS, "all")}
    for facet_sum in sums:
        name = _name(facet_sum.month, facet_sum.layanan, facet_sum.questionnaire)
        live[facet_sum.facet].setdefault(name, {})[facet_sum.value] = facet_sum.vector
    everybody = {name: values[""] for name, values in live["all"].items()}
    released, pooled = _released(bins, triwulan)
    if not all(
        name in everybody and as_tally(everybody[name], tally.size) == tally
        for name, tally in released.items()
    ):
        return None
    return {
        facet: _covered(
            {
                name: _with_not_stated(everybody[name], live[facet].get(name, {}))
                for name in released
            },
            pooled,
        )
        for facet in FACETS
    }


def _released(bins: Bins, triwulan: Window) -> tuple[dict[BinName, Tally], set[BinName]]:
    """Return what of each bin is released within the triwulan, and the bins partly in its pools."""
    released: dict[BinName, Tally] = {}
    pooled = set()
    for key, stored in bins.items():
        if key.layanan != POOL and triwulan.covers(period(key.period)):
            in_pools = [
                tally for pool, tally in stored.pooled.items() if triwulan.covers(period(pool))
            ]
            tally = reduce(add, in_pools, stored.released)
            if tally.n:
                released[_name(*key)] = tally
                pooled |= {_name(*key)} if in_pools else set()
    return released, pooled


def _covered(bins: Mapping[BinName, Mapping[str, Vector]], pooled: Collection[BinName]) -> Covered:
    parts: dict[BinName, dict[str, int]] = {}
    cells: dict[CellName, Vector] = {}
    for name, values in bins.items():
        parts[name] = {value: vector[0] for value, vector in values.items() if vector[0]}
        for value in parts[name]:
            cell = (value, name.rpartition("/")[2])
            so_far = cells.get(cell)
            vector = values[value]
            cells[cell] = vector if so_far is None else tuple(map(add, so_far, vector))
    return Covered(parts, cells, pooled)


def _name(month: str, layanan: str, questionnaire: str) -> BinName:
    return f"{month}/{layanan}/{questionnaire}"


def _with_not_stated(everybody: Vector, values: Mapping[str, Vector]) -> dict[str, Vector]:
    rest = everybody
    for vector in values.values():
        rest = tuple(map(sub, rest, vector))
    return {**values, NOT_STATED: rest}

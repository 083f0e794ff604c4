"""What the released bins of an OPD say under every public window, kept up to date move by move."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from services.aggregate.rolling.opd_figures import (
    OpdWindows,
    WindowFigures,
    exact_indices,
    of_layanan,
    of_whole,
)
from services.aggregate.rolling.pools import Pool, pool_together
from services.aggregate.rolling.released.calendar import PublicCalendar
from shared.domain.release import POOL, Bin, BinKey, Bins
from shared.domain.window import Window, period
from shared.registry.snapshot import Opd, Registry
from shared.storage.rolling import ALL_LAYANAN, OpdState
from shared.storage.tallies.tally_sums import as_vector


@dataclass(frozen=True, slots=True)
class ReleasedPools:
    """What was released of one layanan, or of all pools of leftovers, in every public window."""

    pools: tuple[Pool, ...]
    released_at: tuple[datetime | None, ...]  # of the last step in it

    @classmethod
    def nothing(cls, windows: tuple[Window, ...]) -> Self:
        """Return what there is before the first step."""
        return cls(tuple({} for _ in windows), tuple(None for _ in windows))

    def with_step(
        self, key: BinKey, before: Bin | None, after: Bin, windows: tuple[Window, ...]
    ) -> Self:
        """Return what there is after a bin was released anew."""
        step = after.released if before is None else after.released - before.released
        covering = [window.covers(period(key.period)) for window in windows]
        moved_pool = {key.questionnaire: as_vector(step)}
        return type(self)(
            tuple(
                pool_together((pooled, moved_pool)) if is_in else pooled
                for pooled, is_in in zip(self.pools, covering, strict=True)
            ),
            tuple(
                latest((instant, after.released_at)) if is_in else instant
                for instant, is_in in zip(self.released_at, covering, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """One OPD: its bins, and what is public of them under one registry and on one local day."""

    state: OpdState  # opd_state.releases: of which refresh the bins are
    opd: Opd
    registry_version: int
    today: date
    bins: Bins
    steps: int  # that were released so far
    parts: Mapping[str, ReleasedPools]  # by layanan; of the pools of leftovers under POOL
    lacking: tuple[frozenset[str], ...]  # see _lacking
    windows: OpdWindows

    def is_of(self, registry: Registry, calendar: PublicCalendar) -> bool:
        """Tell whether they were computed under this registry and on this day."""
        return self.registry_version == registry.version and self.today == calendar.today

    def released_at(self, layanan: str) -> tuple[datetime | None, ...]:
        """Return when the last step of a layanan, or of ALL_LAYANAN, was, for every window."""
        if layanan != ALL_LAYANAN:
            return self.parts[layanan].released_at
        instants = [part.released_at for part in self.parts.values()]
        return tuple(map(latest, zip(*instants, strict=True)))


def compute(
    state: OpdState, bins: Bins, registry: Registry, calendar: PublicCalendar
) -> PublicFigures:
    """Compute the figures of an OPD from all of its bins."""
    opd = registry.opd.get(state.opd) or Opd(state.opd, state.opd)
    nothing = ReleasedPools.nothing(calendar.windows)
    parts = dict.fromkeys([*opd.layanan, POOL], nothing)
    before = PublicFigures(
        state=state,
        opd=opd,
        registry_version=registry.version,
        today=calendar.today,
        bins={},
        steps=0,
        parts=parts,
        lacking=tuple(frozenset() for _ in calendar.windows),
        windows=_windows(opd, parts, {}, registry, calendar.today),
    )
    return moved(before, bins, registry, calendar)


def moved(
    figures: PublicFigures, moves: Bins, registry: Registry, calendar: PublicCalendar
) -> PublicFigures:
    """Return the figures after these bins moved; of others nothing is computed anew."""
    parts, unchanged = dict(figures.parts), dict(figures.windows.layanan)
    steps = figures.steps
    for key, after in moves.items():
        before = figures.bins.get(key)
        new_steps = after.steps - (before.steps if before is not None else 0)
        if new_steps:
            steps += new_steps
            part = parts.get(key.layanan) or ReleasedPools.nothing(calendar.windows)
            parts[key.layanan] = part.with_step(key, before, after, calendar.windows)
            unchanged.pop(key.layanan, None)
    bins = {**figures.bins, **moves}
    after_moves = replace(figures, bins=bins, steps=steps)
    if _lacks_other(figures, moves):
        after_moves = replace(after_moves, lacking=_lacking(bins, calendar.windows))
    if steps != figures.steps:
        windows = _windows(figures.opd, parts, unchanged, registry, calendar.today)
        after_moves = replace(after_moves, parts=parts, windows=windows)
    return after_moves


def latest(instants: Iterable[datetime | None]) -> datetime | None:
    """Return the last of some instants; None if there is none."""
    return max((instant for instant in instants if instant is not None), default=None)


def _windows(
    opd: Opd,
    parts: Mapping[str, ReleasedPools],
    unchanged: Mapping[str, WindowFigures],
    registry: Registry,
    today: date,
) -> OpdWindows:
    layanan_figures = {
        layanan: unchanged.get(layanan) or of_layanan(opd, layanan, part.pools, registry)
        for layanan, part in sorted(parts.items())
        if layanan != POOL
    }
    whole = of_whole(opd, [part.pools for part in parts.values()], registry, today)
    return OpdWindows(layanan_figures, whole, exact_indices(whole, registry))


def _lacks_other(figures: PublicFigures, moves: Bins) -> bool:
    """Tell whether other responses are left out than before."""
    for key, after in moves.items():
        before = figures.bins.get(key)
        if before is None:
            if after.left is not None or after.pooled:
                return True
        elif (before.left, before.pooled) != (after.left, after.pooled):
            return True
    return False


def _lacking(bins: Bins, windows: Iterable[Window]) -> tuple[frozenset[str], ...]:
    """Return, for every window, which layanan lack responses of closed months.

    ALL_LAYANAN among them: the OPD as a whole lacks some, which no pool of the window took.
    """
    lacking: list[frozenset[str]] = []
    left_out = {key: stored for key, stored in bins.items() if stored.left or stored.pooled}
    for window in windows:
        inside = [key for key in left_out if window.covers(period(key.period))]
        layanan = {key.layanan for key in inside}
        if any(not _is_pooled_in(window, left_out[key]) for key in inside):
            layanan.add(ALL_LAYANAN)
        lacking.append(frozenset(layanan))
    return tuple(lacking)


def _is_pooled_in(window: Window, stored: Bin) -> bool:
    return stored.left is None and all(window.covers(period(pool)) for pool in stored.pooled)
